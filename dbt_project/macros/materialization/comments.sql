{# The descriptions of the model's columns become comments of the table's. #}
{% macro spark__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set known = {} -%}
        {%- for row in run_query('describe table ' ~ relation).rows if row['col_name'] not in known -%}
            {%- do known.update({row['col_name']: row['comment'] or ''}) -%}
        {%- endfor -%}
        {%- do write_comments(relation, known) -%}
    {%- endif -%}
{%- endmacro %}


{#
    Writes the descriptions that differ from the comments that are `known`, all in one statement; dbt-spark takes one, and so one
    commit, a column.
#}
{% macro write_comments(relation, known) -%}
    {%- set changes = [] -%}
    {%- for name, column in model.columns.items() if name in known and known[name] != column.description | trim -%}
        {%- do changes.append(name ~ " comment '" ~ column.description | trim | replace("'", "\\'") ~ "'") -%}
    {%- endfor -%}
    {%- if changes -%}
        {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ changes | join(', ')) -%}
    {%- endif -%}
{%- endmacro %}


{# What makes the table another one, beside its rows: hashed. #}
{% macro table_definition() -%}
    {%- set columns = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- do columns.append([name, column.get('data_type'), column.description]) -%}
    {%- endfor -%}
    {{ return(local_md5(tojson([columns, constraint_properties(), model.description,
        config.get('liquid_clustered_by'), config.get('tblproperties')]))) }}
{%- endmacro %}
