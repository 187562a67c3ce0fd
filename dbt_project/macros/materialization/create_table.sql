{#
    dbt creates a table that it does not know of, and a failed or incomplete listing of the schema makes it not know one that
    exists (dbt-adapters#1289). An incremental model would be built anew from all of Bronze, and a snapshot would lose its
    history, without a word. So a table that the metastore knows and dbt's cache does not is an error. It stands here
    because every way to create a table passes.
#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if temporary -%}
        {{ create_temporary_view(relation, compiled_code) }}
    {%- else -%}
        {{ create_table_with(relation, compiled_code, read_positions_of(compiled_code)) }}
    {%- endif -%}
{%- endmacro %}


{# One statement, and so one commit: rows, constraints, and the properties that the table is to remember. #}
{% macro create_table_with(relation, compiled_code, remembered) -%}
    {%- if not should_full_refresh() and load_relation(relation) is none -%}
        {%- for row in run_query("show tables in " ~ relation.schema ~ " like '" ~ relation.identifier ~ "'").rows
            if not row['isTemporary'] -%}
            {{ exceptions.raise_compiler_error(
                relation ~ ' exists, but dbt did not see it when it listed the schema, and would make it anew: its '
                ~ 'history would be lost. Run dbt again; pass --full-refresh only if the table is to be rebuilt.'
            ) }}
        {%- endfor -%}
    {%- endif -%}

    create or replace table {{ relation }}
    {{ file_format_clause() }}
    {{ properties_clause(remembered) }}
    {{ partition_cols(label='partitioned by') }}
    {{ clustered_cols(label='clustered by') }}
    {{ location_clause() }}
    {{ comment_clause() }}
    as
    {{ contracted_select(compiled_code) }}
{%- endmacro %}


{# The model's SQL with its columns checked against the contract, and in the contract's order. #}
{% macro contracted_select(compiled_code) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {{ get_select_subquery(compiled_code) }}
    {%- else -%}
        {{ compiled_code }}
    {%- endif -%}
{%- endmacro %}
