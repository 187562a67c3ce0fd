{# The descriptions that differ from the table's, in one statement; dbt-spark takes one, and so one commit, a column. #}
{% macro spark__alter_column_comment(relation, column_dict) -%}
    {%- set comments = {} -%}
    {%- for row in run_query('describe table ' ~ relation).rows -%}
        {%- do comments.update({row['col_name']: row['comment']}) -%}
    {%- endfor -%}
    {%- set changes = [] -%}
    {%- for name, column in column_dict.items() if name in comments and comments[name] != column.description | trim -%}
        {%- do changes.append(name ~ " comment '" ~ column.description | trim | replace("'", "\\'") ~ "'") -%}
    {%- endfor -%}
    {%- if changes -%}
        {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ changes | join(', ')) -%}
    {%- endif -%}
{%- endmacro %}


{% macro column_definitions() -%}
    {%- set definitions = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- do definitions.append([name, column.get('data_type'), column.description]) -%}
    {%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}
