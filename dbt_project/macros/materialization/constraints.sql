{#
    The contract's constraints as Delta's table properties: {'delta.constraints.genre_id_not_null': 'genre_id is not null'}. A
    check that comes to NULL holds, as in the SQL standard; Delta alone would refuse it.
#}
{% macro constraint_properties() -%}
    {%- set properties = {} -%}
    {%- for name, column in model.columns.items() -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do properties.update({'delta.constraints.' ~ name ~ '_not_null': name ~ ' is not null'}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in model.constraints or [] if constraint.type == 'check' -%}
        {%- do properties.update({'delta.constraints.' ~ constraint.name: 'coalesce(' ~ constraint.expression | trim ~ ', true)'}) -%}
    {%- endfor -%}
    {{ return(properties) }}
{%- endmacro %}


{% macro spark__tblproperties_clause() -%}
    {%- set properties = {} -%}
    {%- do properties.update(config.get('tblproperties') or {}) -%}
    {%- do properties.update(constraint_properties()) -%}
    {%- if properties %}
    tblproperties (
        {%- for name, value in properties.items() %}
        '{{ name }}' = '{{ value | replace("'", "\\'") }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
    {%- endif %}
{%- endmacro %}


{# Part of the table's creation here (see `constraint_properties`). #}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
