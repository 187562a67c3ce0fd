{#
    How a mart is built, in place of dbt-spark's own `table`.

    - Where nothing has changed that the mart is made from (its compiled SQL, what its YAML says of its columns, the last
      commit that changed data of each table it reads), there is nothing to do. The mart remembers that as the property
      `lakehouse.built_from`.
    - Else the rows are replaced in one commit (`insert overwrite`). The columns' descriptions and the constraints stay with
      the table, and Delta holds each row to the constraints before the commit: a mart that breaks one keeps its last good
      version.
    - Where the columns, their descriptions or the constraints are new, the table is replaced as a whole, in one commit too.

    Constraints are those of the contract: `not_null` of a column, `check` of the model. Both become CHECK constraints of
    Delta, given at creation as table properties, because open source Delta cannot set a column NOT NULL once it is there.
#}
{% materialization table, adapter='spark' -%}
    {%- set previous = load_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set remembered = remembered_properties(this) if previous is not none and previous.is_delta else {} -%}
    {%- set definition = local_md5(tojson([column_definitions(), constraint_properties(), model.description,
        config.get('liquid_clustered_by'), config.get('tblproperties')])) -%}
    {%- set built_from = local_md5(tojson([compiled_code, definition, input_positions(), flags.EMPTY])) -%}

    {{ run_hooks(pre_hooks) }}

    {%- if remembered.get('lakehouse.built_from') == built_from and not should_full_refresh() -%}
        {%- call statement('main') -%}
            select 'unchanged' as outcome
        {%- endcall -%}
    {%- else -%}
        {%- if previous is not none and previous.type != 'table' -%}
            {%- do adapter.drop_relation(previous) -%}
        {%- endif -%}
        {%- if remembered.get('lakehouse.definition') == definition -%}
            {%- call statement('main') -%}
                insert overwrite table {{ target_relation }}
                {{ contracted_select(compiled_code) }}
            {%- endcall -%}
        {%- else -%}
            {%- call statement('main') -%}
                {{ create_table_as(False, target_relation, compiled_code) }}
            {%- endcall -%}
            {%- do persist_docs(target_relation, model) -%}
        {%- endif -%}
        {%- call statement('remember') -%}
            alter table {{ target_relation }} set tblproperties (
                'lakehouse.definition' = '{{ definition }}', 'lakehouse.built_from' = '{{ built_from }}'
            )
        {%- endcall -%}
    {%- endif -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
