{#
    OPTIMIZE and VACUUM of every model, and snapshot, that has a table of its own:
    `dbt run-operation maintain --args '{dry_run: true, select: [movies]}'`, or `lakehouse maintain`.

    What is done to a table is what the var `maintenance` says, each key of which a model may set for itself in its
    config, `meta: {maintenance: {vacuum_retain_hours: 720}}`:

    - `optimize`: whether small files are put together (and rows are clustered, where the table is).
    - `optimize_when_files_exceed`: only where the table has more files than this.
    - `vacuum_retain_hours`: files that have been out of the table for longer are deleted. Time travel and the change
      data feed end where files do.

    Neither touches a row. A table with nothing to do gets no commit: `last_change` looks at the last thirty, and each new
    one makes the models that read the table look once whether it brought rows.

    VACUUM would take from a model that reads by `new_rows` what it has not read yet, and Delta's log, which is kept for
    longer than the files, would not tell. So it waits for such readers.

    Nor does it take what the last `publications_kept` versions of Gold that were published are made of: `hours_published`.
#}
{% macro maintain(dry_run=false, select=none) -%}
    {%- if dry_run is not boolean or (select is not none and (select is string or select is not sequence)) -%}
        {{ exceptions.raise_compiler_error(
            'maintain takes dry_run: true or false, and select: [names of models]; not dry_run: ' ~ dry_run
            ~ ', select: ' ~ select ~ '.'
        ) }}
    {%- endif -%}
    {%- set plans = [] -%}
    {%- set names = [] -%}
    {%- for node in nodes_with_tables() -%}
        {#- Settings that make no sense are found before any table is touched, whatever is selected. -#}
        {%- do plans.append({'node': node, 'settings': maintenance_settings(node)}) -%}
        {%- do names.append(node.name) -%}
    {%- endfor -%}
    {%- for name in select or [] if name not in names -%}
        {{ exceptions.raise_compiler_error("maintain: there is no model '" ~ name ~ "' with a table of its own.") }}
    {%- endfor -%}
    {#- VACUUM lists a table's folder in 10,000 tasks by default, most of a minute a table on two cores. -#}
    {%- set tasks_before = setting_of_session('spark.sql.sources.parallelPartitionDiscovery.parallelism') -%}
    {%- set tasks = setting_of_session('spark.sql.shuffle.partitions') -%}
    {%- do run_query('set spark.sql.sources.parallelPartitionDiscovery.parallelism = ' ~ tasks) -%}
    {%- set published = hours_published() -%}
    {%- for plan in plans if select is none or plan.node.name in select -%}
        {%- if plan.node.schema == 'gold_build' and published.get(plan.node.alias, 0) > plan.settings.vacuum_retain_hours -%}
            {%- do plan.settings.update({'vacuum_retain_hours': published[plan.node.alias]}) -%}
        {%- endif -%}
        {%- do maintain_table(plan.node, plan.settings, dry_run) -%}
    {%- endfor -%}
    {#- All connections share the session. -#}
    {%- do run_query('set spark.sql.sources.parallelPartitionDiscovery.parallelism = ' ~ tasks_before) -%}
{%- endmacro %}


{% macro setting_of_session(name) -%}
    {{ return(run_query('set ' ~ name).rows[0]['value']) }}
{%- endmacro %}


{# The models and snapshots that have a table of their own, in the order of their tables' names. #}
{% macro nodes_with_tables() -%}
    {%- set nodes = [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='schema,alias')
        if node.resource_type in ('model', 'snapshot') and node.config.materialized not in ('view', 'ephemeral') -%}
        {%- do nodes.append(node) -%}
    {%- endfor -%}
    {{ return(nodes) }}
{%- endmacro %}


{# How a model is maintained: the project's settings, with the model's own over them. #}
{% macro maintenance_settings(node) -%}
    {%- set defaults = var('maintenance') -%}
    {%- set own = (node.config.get('meta') or {}).get('maintenance', {}) -%}
    {%- if own is not mapping -%}
        {{ exceptions.raise_compiler_error(node.name ~ ': meta.maintenance must be a mapping, not ' ~ own ~ '.') }}
    {%- endif -%}
    {%- set settings = {} -%}
    {%- do settings.update(defaults) -%}
    {%- do settings.update(own) -%}
    {%- set kinds = {
        'optimize': 'true or false',
        'optimize_when_files_exceed': 'a whole number, 1 or more',
        'vacuum_retain_hours': 'a whole number of hours, 0 or more',
    } -%}
    {%- for key in (settings | list + kinds | list) | unique -%}
        {%- set value = settings.get(key) -%}
        {%- set place = node.name ~ ': meta.maintenance.' ~ key
            if key in own else node.name ~ ': ' ~ key ~ " of the var `maintenance` (dbt_project.yml)" -%}
        {%- if key not in kinds -%}
            {{ exceptions.raise_compiler_error(place ~ ' is no setting; there are ' ~ kinds | join(', ') ~ '.') }}
        {%- elif (key == 'optimize' and value is not boolean)
            or (key != 'optimize' and (value is not integer or value < (0 if key == 'vacuum_retain_hours' else 1))) -%}
            {{ exceptions.raise_compiler_error(place ~ ' must be ' ~ kinds[key] ~ ', not ' ~ value ~ '.') }}
        {%- elif key == 'vacuum_retain_hours' and value < 168 and checks_retention() -%}
            {{ exceptions.raise_compiler_error(
                place ~ ' is ' ~ value ~ ': less than 168 hours may delete files that running queries and late readers '
                ~ 'need. Set 168 or more; or, where nothing else uses the lake, switch the check off for the session: '
                ~ 'spark.databricks.delta.retentionDurationCheck.enabled = false.'
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(settings) }}
{%- endmacro %}


{# Whether the session refuses to delete files that left their table less than a week ago. #}
{% macro checks_retention() -%}
    {{ return(setting_of_session('spark.databricks.delta.retentionDurationCheck.enabled') | lower != 'false') }}
{%- endmacro %}


{# One table: what it needs, and for a person and for `lakehouse maintain` what was done. #}
{% macro maintain_table(node, settings, dry_run) -%}
    {%- set began = modules.datetime.datetime.now() -%}
    {%- set relation = api.Relation.create(schema=node.schema, identifier=node.alias) -%}
    {%- do log('lakehouse.maintain ' ~ tojson({'table': relation | string})) -%}
    {%- set found = {'table': relation | string, 'files_before': none, 'files_after': none, 'done': []} -%}
    {%- set existing = load_relation(relation) -%}
    {%- if existing is none or existing.type != 'table' -%}
        {%- do found.done.append('not built yet') -%}
    {%- else -%}
        {%- set files = run_query('describe detail ' ~ relation).rows[0]['numFiles'] | int -%}
        {%- do found.update({'files_before': files, 'files_after': files}) -%}
        {%- if settings.optimize and files > settings.optimize_when_files_exceed -%}
            {%- do optimize_table(relation, found, dry_run) -%}
        {%- endif -%}
        {%- do vacuum_table(node, relation, settings.vacuum_retain_hours, found, dry_run) -%}
    {%- endif -%}
    {%- do found.update({'seconds': (modules.datetime.datetime.now() - began).total_seconds()}) -%}
    {%- do log('lakehouse.maintain ' ~ tojson(found)) -%}
    {%- do log(
        found.table ~ ': ' ~ (found.done | join(', ') or 'nothing to do')
        ~ (', files ' ~ found.files_before ~ ' -> ' ~ found.files_after if found.files_before is not none else '')
        ~ ', ' ~ found.seconds | round(1) ~ ' s',
        info=true
    ) -%}
{%- endmacro %}


{% macro optimize_table(relation, found, dry_run) -%}
    {%- if dry_run -%}
        {%- do found.done.append('would optimize') -%}
    {%- else -%}
        {%- set metrics = fromjson(run_query('optimize ' ~ relation).rows[0]['metrics']) -%}
        {%- do found.update({'files_after': found.files_before - metrics.numFilesRemoved + metrics.numFilesAdded}) -%}
        {#- Files that are as large as they should be, or alone in their partition, stay, and there is no commit. -#}
        {%- if metrics.numFilesRemoved -%}
            {%- do found.done.append('optimized') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro vacuum_table(node, relation, retain_hours, found, dry_run) -%}
    {%- set vacuum = 'vacuum ' ~ relation ~ ' retain ' ~ retain_hours ~ ' hours' -%}
    {#-
        The real one commits that it starts and that it ends, whether or not there is a file to delete. The dry one
        also names folders (of partitions, of the change data feed) that have no old file in them.
    -#}
    {%- set unused = [] -%}
    {%- for row in run_query(vacuum ~ ' dry run').rows -%}
        {%- set name = row['path'].split('/')[-1] -%}
        {%- if name != '_change_data' and '=' not in name -%}
            {%- do unused.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unused -%}
        {%- set late = late_readers(node, relation) -%}
        {%- if late -%}
            {%- do found.done.append('keeps old files until ' ~ late | join(', ') ~ ' has read them') -%}
        {%- elif dry_run -%}
            {%- do found.done.append('would delete old files: ' ~ unused | length) -%}
        {%- else -%}
            {%- do run_query(vacuum) -%}
            {%- do found.done.append('deleted old files: ' ~ unused | length) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#
    How far back, in hours, the oldest version of each mart lies that is kept: {'movie_performance': 200}. A file that left the
    table before that is in none of them. What counts is what serving/publication.py counts: the last versions that differ; one
    more, since the newest may be of a publication that was killed before readers saw it. And what readers see is kept, whatever
    the record says. An hour is added for clocks that differ.
#}
{% macro hours_published() -%}
    {%- set kept = var('publications_kept') -%}
    {%- if kept is not integer or kept < 1 -%}
        {{ exceptions.raise_compiler_error('publications_kept must be a whole number, 1 or more, not ' ~ kept ~ '.') }}
    {%- endif -%}
    {%- set hours = {} -%}
    {%- set versions = [] -%}
    {#- Asked for itself: a listing of dbt's that came out incomplete would cost the files. -#}
    {%- if run_query("show databases like 'ops'").rows -%}
        {%- if run_query("show tables in ops like 'publications'").rows -%}
            {%- set recorded -%}
                select explode(marts) as (mart, instant)
                from (
                    select marts
                    from ops.publications
                    group by marts
                    order by max(published_at) desc
                    limit {{ kept + 1 }}
                )
            {%- endset -%}
            {%- do versions.append(recorded) -%}
        {%- endif -%}
        {%- if run_query("show views in ops like 'published'").rows -%}
            {%- do versions.append('select mart, instant from ops.published') -%}
        {%- endif -%}
    {%- endif -%}
    {%- if versions -%}
        {%- set sql -%}
            select
                mart,
                cast(ceil((unix_seconds(current_timestamp()) - min(unix_seconds(instant))) / 3600) as int) + 1 as hours
            from (
                {{ versions | join(' union all ') }}
            )
            group by mart
        {%- endset -%}
        {%- for row in run_query(sql).rows -%}
            {%- do hours.update({row['mart']: row['hours'] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(hours) }}
{%- endmacro %}


{# The models that read the table by `new_rows`, and have not read its last change. #}
{% macro late_readers(node, relation) -%}
    {%- set late = [] -%}
    {%- for reader in nodes_with_tables() if node.unique_id in tables_read(reader, {}) -%}
        {%- set table = api.Relation.create(schema=reader.schema, identifier=reader.alias) -%}
        {%- if load_relation(table) is not none -%}
            {%- set read = remembered_properties(table).get('lakehouse.read.' ~ relation) -%}
            {%- if read and read.split('@')[0] | int < last_change(relation).split('@')[0] | int -%}
                {%- do late.append(reader.name) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(late) }}
{%- endmacro %}
