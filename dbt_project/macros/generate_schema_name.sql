{#
    The schema that a model's folder names: `silver` where it is published (target `local`), `scratch_silver` for the target
    `scratch`, where somebody tries a change.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = custom_schema_name | trim if custom_schema_name else target.schema -%}
    {{ schema if target.name == 'local' else target.name ~ '_' ~ schema }}
{%- endmacro %}
