{#
    What the model is made from, as text that changes when it does: for each source and model that it reads, through views,
    the last commit that changed data. A model with the config `meta: {is_compared_by: content}` stands for its rows instead: a
    small table that is written anew with the same rows has not changed.
#}
{% macro input_positions() -%}
    {%- set positions = {} -%}
    {%- for node in tables_read(model, {}).values() -%}
        {%- set relation = relation_of(node) -%}
        {%- if node.config.get('meta', {}).get('is_compared_by') == 'content' -%}
            {%- do positions.update({relation | string: content_of(relation)}) -%}
        {%- else -%}
            {%- do positions.update({relation | string: last_change(relation)}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(positions) }}
{%- endmacro %}


{# All rows of a small table as text. Asked for once an invocation, as `recent_commits` is. #}
{% macro content_of(relation) -%}
    {%- set known = graph.setdefault('lakehouse_contents', {}).setdefault(invocation_id, {}) -%}
    {%- if relation | string not in known -%}
        {%- set rows = run_query('select to_json(collect_list(struct(*))) as content from ' ~ relation).rows -%}
        {%- do known.update({relation | string: rows[0]['content']}) -%}
    {%- endif -%}
    {{ return(known[relation | string]) }}
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
    {%- set commits = recent_commits(relation) -%}
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


{# Where an upstream is read from: for a direct one the table that ref() gives, which may be another target's (--defer). #}
{% macro relation_of(node) -%}
    {%- if node.resource_type == 'model' and node.unique_id in model.depends_on.nodes -%}
        {{ return(ref(node.name).include(schema=true).incorporate(limit=none)) }}
    {%- endif -%}
    {{ return(api.Relation.create(schema=node.schema, identifier=node.identifier or node.alias)) }}
{%- endmacro %}
