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


{# The properties of a table that is created: the config's, the contract's constraints, and what it is to remember. #}
{% macro properties_clause(remembered) -%}
    {%- set properties = {} -%}
    {%- do properties.update(config.get('tblproperties') or {}) -%}
    {%- do properties.update(constraint_properties()) -%}
    {%- do properties.update(remembered) -%}
    {%- if properties %}
    tblproperties ({{ property_list(properties) }})
    {%- endif %}
{%- endmacro %}


{% macro set_properties(relation, properties) -%}
    alter table {{ relation }} set tblproperties ({{ property_list(properties) }})
{%- endmacro %}


{% macro property_list(properties) -%}
    {%- for name, value in properties.items() -%}
        '{{ name }}' = '{{ value | replace("'", "\\'") }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# Part of the table's creation here (see `constraint_properties`). #}
{% macro spark__persist_constraints(relation, model) -%}
{%- endmacro %}
