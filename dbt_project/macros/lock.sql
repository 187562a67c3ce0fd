{#
    One dbt run at a time writes Silver and Gold. Delta keeps two from tearing one table, but not one from building on what
    the other is about to change.

    The lock is advisory: the property `lakehouse.writer` of the schema `silver`, written by `acquire_lock` before the first
    node, by `renew_lock` between nodes, emptied by `release_lock` after the last. A run that finds it held stops and says
    by whom; `orchestration.writer_lock` waits for it before it starts dbt. A run that was killed leaves it behind: it is free
    `lock_minutes` after its last sign of life, when its process is seen to be gone (`orchestration.writer_lock`), or after
    `dbt run-operation release_lock --args '{force: true}'`.

    The target `scratch` has no lock: nothing that is published is made from it.
#}
{% macro acquire_lock() -%}
    {%- if execute and target.name == 'local' and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'retry'] -%}
        {%- do run_query('create schema if not exists ' ~ target.schema) -%}
        {%- set held = lock_held() -%}
        {%- if held and held.who != this_writer().who -%}
            {{ exceptions.raise_compiler_error(
                held.who ~ ' is building Silver and Gold, since ' ~ held.since ~ '. '
                ~ 'Run again when it has ended, or build in schemas of your own: --target scratch. '
                ~ 'If it is dead, the lock is free from ' ~ held.until ~ " on, or after: "
                ~ "dbt run-operation release_lock --args '{force: true}'"
            ) }}
        {%- endif -%}
        {%- do write_lock(run_started_at.strftime('%Y-%m-%dT%H:%M:%SZ')) -%}
    {%- endif -%}
{%- endmacro %}


{# Pre-hook of each model: a sign of life, where the last is half a minute old; stops where another took over meanwhile. #}
{% macro renew_lock() -%}
    {%- if execute and target.name == 'local' -%}
        {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
        {%- set mine = graph.get('lakehouse_lock') -%}
        {%- if mine and (now - mine.renewed_at).total_seconds() > 30 -%}
            {%- set held = lock_held() -%}
            {%- if held and held.who != this_writer().who -%}
                {{ exceptions.raise_compiler_error(
                    held.who ~ ' has begun to build Silver and Gold while nothing was heard of this run. '
                    ~ 'Run again when it has ended.'
                ) }}
            {%- endif -%}
            {%- do write_lock(mine.since) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Gives the lock back. `force` takes it from whoever holds it, for one that is dead. #}
{% macro release_lock(force=false) -%}
    {%- if execute and target.name == 'local' and (force or graph.get('lakehouse_lock')) -%}
        {%- set held = lock_held() -%}
        {%- if held and (force or held.who == this_writer().who) -%}
            {%- do run_query('alter schema ' ~ target.schema ~ " set dbproperties ('lakehouse.writer' = '')") -%}
            {%- if force -%}
                {{ log('The lock of ' ~ held.who ~ ' is gone.', info=true) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Who holds the lock: {'who', 'since', 'until'}; none where nobody does, or nothing was heard of them for too long. #}
{% macro lock_held() -%}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%dT%H:%M:%SZ') -%}
    {%- for row in run_query('describe schema extended ' ~ target.schema).rows if row[0] == 'Properties' -%}
        {%- set found = modules.re.search('\\(lakehouse\\.writer,([^|)]+)\\|([^|)]*)\\|([^|)]*)\\|([^|)]+)\\)', row[1]) -%}
        {%- if found and found.group(4) > now -%}
            {{ return({'who': found.group(1), 'since': found.group(3), 'until': found.group(4)}) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}


{# Who this run is. `LAKEHOUSE_WRITER` is `<run>|<process>`, set where a program of ours has started dbt. #}
{% macro this_writer() -%}
    {%- set given = env_var('LAKEHOUSE_WRITER', '').split('|') -%}
    {%- set person = 'dbt ' ~ flags.WHICH ~ ' of ' ~ env_var('USER', 'somebody') ~ ' ' ~ invocation_id[:8] -%}
    {{ return({'who': given[0] or modules.re.sub('[^\\w .@-]', '_', person), 'process': given[1] if given | length > 1 else ''}) }}
{%- endmacro %}


{# Takes or renews the lock: `<run>|<process>|<since>|<free from>`. #}
{% macro write_lock(since) -%}
    {%- set me = this_writer() -%}
    {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
    {%- set until = now + modules.datetime.timedelta(minutes=var('lock_minutes')) -%}
    {%- set value = [me.who, me.process, since, until.strftime('%Y-%m-%dT%H:%M:%SZ')] | join('|') -%}
    {%- do run_query(
        'alter schema ' ~ target.schema ~ " set dbproperties ('lakehouse.writer' = '" ~ value ~ "')"
    ) -%}
    {%- do graph.update({'lakehouse_lock': {'since': since, 'renewed_at': now}}) -%}
{%- endmacro %}
