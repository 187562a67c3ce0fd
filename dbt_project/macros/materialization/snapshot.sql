{#
    The id of a version: the key, the time, and also the columns that are checked. With dbt-spark's own (key and time only) a
    change that brings no newer observation would get the id of the version that it follows, and be lost.
#}
{% macro spark__snapshot_hash_arguments(args) -%}
    sha2(concat_ws('|'
    {%- for arg in args -%}
        , coalesce(cast({{ arg }} as string), '')
    {%- endfor -%}
        , to_json(struct({{ config.get('check_cols') | join(', ') }}))
    ), 256)
{%- endmacro %}
