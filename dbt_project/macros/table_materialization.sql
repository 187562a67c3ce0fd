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
    {%- set built_from = local_md5(tojson([compiled_code, definition, input_positions()])) -%}

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


{# The model's SQL with its columns checked against the contract, and in the contract's order. #}
{% macro contracted_select(compiled_code) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {{ get_select_subquery(compiled_code) }}
    {%- else -%}
        {{ compiled_code }}
    {%- endif -%}
{%- endmacro %}


{% macro column_definitions() -%}
    {%- set definitions = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- do definitions.append([name, column.get('data_type'), column.description]) -%}
    {%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}


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


{#
    What the model is made from, as text that changes when it does: for each source and model that it reads, through views,
    the last commit that changed data. A model with the config `meta: {is_compared_by: content}` stands for its rows instead: a
    small table that is written anew with the same rows has not changed.
#}
{% macro input_positions() -%}
    {%- set positions = {} -%}
    {%- for node in tables_read(model, {}).values() -%}
        {%- set relation = api.Relation.create(schema=node.schema, identifier=node.identifier or node.alias) -%}
        {%- if node.config.get('meta', {}).get('is_compared_by') == 'content' -%}
            {%- set rows = run_query('select to_json(collect_list(struct(*))) as content from ' ~ relation).rows -%}
            {%- do positions.update({relation | string: rows[0]['content']}) -%}
        {%- else -%}
            {%- do positions.update({relation | string: last_change(relation)}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(positions) }}
{%- endmacro %}


{# The sources and the models with tables of their own that a node reads; views and ephemeral models are looked through. #}
{% macro tables_read(node, found) -%}
    {%- for unique_id in node.depends_on.nodes | sort -%}
        {%- set upstream = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
        {%- if upstream.resource_type == 'model' and upstream.config.materialized in ('view', 'ephemeral') -%}
            {%- do tables_read(upstream, found) -%}
        {%- else -%}
            {%- do found.update({unique_id: upstream}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#
    The newest commit of a Delta table that may have changed its rows, `5@2026-01-29T00:00:00`. Commits of properties and
    layout, and merges that found nothing to write, change none. Where none of the last commits did, the newest stands.
#}
{% macro last_change(relation) -%}
    {%- set commits = run_query('describe history ' ~ relation ~ ' limit 10').rows -%}
    {%- for commit in commits -%}
        {%- set metrics = fromjson(commit['operationMetrics'] or '{}', {}) -%}
        {%- set is_idle_merge = commit['operation'] == 'MERGE' and metrics.get('numTargetRowsInserted') == '0'
            and metrics.get('numTargetRowsUpdated') == '0' and metrics.get('numTargetRowsDeleted') == '0' -%}
        {%- if commit['operation'] not in ('SET TBLPROPERTIES', 'OPTIMIZE', 'VACUUM START', 'VACUUM END', 'CHANGE COLUMN',
            'CHANGE COLUMNS') and not is_idle_merge -%}
            {{ return(commit_position(commit)) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(commit_position(commits[0])) }}
{%- endmacro %}


{# A table's properties: {'lakehouse.read.bronze.movies': '5@2026-01-29T00:00:00'}. #}
{% macro remembered_properties(relation) -%}
    {%- set properties = {} -%}
    {%- for row in run_query('show tblproperties ' ~ relation).rows if row[0].startswith('lakehouse.') -%}
        {%- do properties.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{ return(properties) }}
{%- endmacro %}


{#
    dbt creates a table that it does not know of, and a failed or incomplete listing of the schema makes it not know one that
    exists (dbt-adapters#1289). An incremental model would be built anew from all of Bronze, and a snapshot would lose its
    history, without a word. So a table that the metastore knows and dbt's cache does not is an error. It stands here
    because every way to create a table passes.
#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if not temporary and not should_full_refresh() and load_relation(relation) is none -%}
        {%- for row in run_query("show tables in " ~ relation.schema ~ " like '" ~ relation.identifier ~ "'").rows
            if not row['isTemporary'] -%}
            {{ exceptions.raise_compiler_error(
                relation ~ ' exists, but dbt did not see it when it listed the schema, and would make it anew: its '
                ~ 'history would be lost. Run dbt again; pass --full-refresh only if the table is to be rebuilt.'
            ) }}
        {%- endfor -%}
    {%- endif -%}
    {%- if temporary -%}
        {{ create_temporary_view(relation, compiled_code) }}
    {%- else -%}
    create or replace table {{ relation }}
    {{ file_format_clause() }}
    {{ tblproperties_clause() }}
    {{ partition_cols(label='partitioned by') }}
    {{ clustered_cols(label='clustered by') }}
    {{ location_clause() }}
    {{ comment_clause() }}
    as
    {{ contracted_select(compiled_code) }}
    {%- endif -%}
{%- endmacro %}
