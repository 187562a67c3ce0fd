{#
    The MERGE of every incremental model, in place of dbt-spark's.

    - A matched row is written only where it differs, so merging the same rows again writes nothing, and the change data
      feed of a table tells true changes.
    - `merge_insert_only: true`: rows never change once they are there; a matched row is left alone.
    - A source row with `is_removed` true is a tombstone: it deletes its match and is never inserted
      (see `with_removed`). The target has no such column.
    - Where none of a model's upstreams has moved (see `new_rows`), there is nothing to merge and no MERGE is run.
    - The rows are a subquery, not a temporary view: all connections share one Spark session, which keeps such views for
      ever, and goes through all of them (and their plans) whenever a connection closes: most of a second a node.
#}
{% macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- if 'where false)' in model.compiled_code
        and 'lakehouse.read ' not in model.compiled_code -%}
        {{ return('select 0 as merged_rows') }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(target) | map(attribute='name') | list -%}
    {%- set has_tombstones = config.get('merge_tombstones', false) -%}

    merge into {{ target }} as target
    using (
        {{ model.compiled_code }}
    ) as source
    on target.{{ unique_key }} = source.{{ unique_key }}
    {%- for predicate in incremental_predicates or [] %}
        and {{ predicate }}
    {%- endfor %}
    {%- if has_tombstones %}
    when matched and source.is_removed then delete
    {%- endif %}
    {%- if not config.get('merge_insert_only', false) %}
    when matched and not (
        {%- for column in columns %}
        {{ 'and ' if not loop.first }}target.{{ column }} <=> source.{{ column }}
        {%- endfor %}
    ) then update set
        {%- for column in columns %}
        target.{{ column }} = source.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- endif %}
    when not matched {{ 'and not source.is_removed ' if has_tombstones }}then insert (
        {{ columns | join(', ') }}
    ) values (
        {%- for column in columns %}source.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}


{#
    The rows of a child table to merge: all of the CTE `current_rows`, and on an incremental run also a tombstone for each
    child that the table holds of the same movies and that is no longer there.

    `current_rows` holds all present children of the movies in the CTE `movies_read` (one row a movie, `movie_id`).
    `columns` are the table's, its key first. The model sets `merge_tombstones: true`.
#}
{% macro with_removed(current_rows, movies_read, columns) -%}
    select
        {{ columns | join(',\n        ') }}
        {%- if is_incremental() %},
        false as is_removed
        {%- endif %}
    from {{ current_rows }}
    {%- if is_incremental() %}

    union all

    select
        previous.{{ columns | join(',\n        previous.') }},
        true as is_removed
    from {{ this }} as previous
    left semi join {{ movies_read }} as movies_read
        on previous.movie_id = movies_read.movie_id
    left anti join {{ current_rows }} as current_rows
        on previous.{{ columns[0] }} = current_rows.{{ columns[0] }}
    {%- endif %}
{%- endmacro %}


{# Nothing: what dbt-spark would make a temporary view of is a subquery of the MERGE. #}
{% macro spark__create_temporary_view(relation, compiled_code) -%}
    select 'no view' as outcome
{%- endmacro %}
