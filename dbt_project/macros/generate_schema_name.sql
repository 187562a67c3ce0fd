{# The schema that a model's folder names, as it is: `silver`, never `<target schema>_silver`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
{%- endmacro %}
