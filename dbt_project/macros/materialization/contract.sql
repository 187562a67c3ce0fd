{#
    The contract, held before anything is written: names and types of the model's columns are those of its YAML. dbt's own check
    knows no more of a list than that it is one; `describe query` tells the types of its fields, and is one statement instead
    of two.
#}
{% macro spark__get_assert_columns_equivalent(sql) -%}
    {%- set given = {} -%}
    {%- for row in run_query('describe query ' ~ sql).rows -%}
        {%- do given.update({row['col_name'] | lower: row['data_type']}) -%}
    {%- endfor -%}
    {%- set wrong = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- set type = column.data_type | lower | replace(' ', '') -%}
        {%- if given.get(name) is none -%}
            {%- do wrong.append(name ~ ' is not selected') -%}
        {%- elif given[name] != type -%}
            {%- do wrong.append(name ~ ' is ' ~ given[name] ~ ', and should be ' ~ type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in given if name not in model.columns -%}
        {%- do wrong.append(name ~ ' is not in the contract') -%}
    {%- endfor -%}
    {%- if wrong and execute -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ' breaks its contract: ' ~ wrong | join('; ') ~ '. Correct the SQL or the YAML beside it.'
        ) }}
    {%- endif -%}
{%- endmacro %}
