{#
    The body of a model that holds one row per thing that movies list (a genre, a company, a keyword), with its latest name:
    folded as movies are (see `movie_records`), so that batches may come late, re-ordered, split or twice.

    `new_observations` is the CTE of observations to fold in, `list` their column of entries `<thing>_id, <thing>_name`. An
    entry without a name (a list page gives ids only) notes the id and leaves the name as it was.
#}
{% macro latest_names(new_observations, list, thing) -%}
    select
        {{ thing }}_id,
        max(name_said).value as {{ thing }}_name,
        max(name_said) as name_said
    from (
        select
            entry.{{ thing }}_id,
            case
                when entry.{{ thing }}_name is not null
                    then struct(observed_at, payload_sha256, entry.{{ thing }}_name as value)
            end as name_said
        from {{ new_observations }}
            lateral view explode({{ list }}) as entry
        {%- if is_incremental() %}

        union all

        select
            previous.{{ thing }}_id,
            previous.name_said
        from {{ this }} as previous
        left semi join (
            select entry.{{ thing }}_id
            from {{ new_observations }}
                lateral view explode({{ list }}) as entry
        ) as listed
            on previous.{{ thing }}_id = listed.{{ thing }}_id
        {%- endif %}
    )
    group by {{ thing }}_id
{%- endmacro %}
