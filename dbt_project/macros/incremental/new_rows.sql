{#
    Incremental reading by table version.

    `new_rows(relation)` is what a model reads instead of `relation`: on the first build the whole table, later only the
    rows that were inserted or updated since this model last read it, from Delta's change data feed. So a batch costs what
    the batch holds, not what the lake holds, and late or re-ordered observations are never missed, as they would be with
    a "newer than the newest that I have" filter.

    How far a model has read stands in its own table as the property `lakehouse.read.<upstream>` = `<version>@<commit time>`.
    `remember_read_versions()`, the post-hook of such a model, writes it after the merge. Killed between the two, the
    next run reads the same rows again; every model is idempotent, so that changes nothing.

    The commit time tells a table from another of the same name that was made later. Where the remembered commit is not
    in the upstream's history (re-created, restored, history expired), the whole table is read again.

    `key` keeps only the newest change of each key, for upstreams that update rows.

    In unit tests the upstream is a list of given rows, and with --empty it is no rows: both are read as they are.
#}
{% macro new_rows(relation, key=none) -%}
    {%- if not execute or '__dbt__cte__' in relation | string or relation.limit is not none -%}
        {{ return(relation | string) }}
    {%- endif -%}

    {%- set current = read_position(relation) -%}
    {%- set remembered = none -%}
    {%- if is_incremental() -%}
        {%- set remembered = remembered_properties(this).get('lakehouse.read.' ~ relation) -%}
    {%- endif -%}
    {%- if remembered == current.position -%}
        {{ return('(select * from ' ~ relation ~ ' where false)') }}
    {%- endif -%}

    {%- set mark = '/* lakehouse.read ' ~ relation ~ '=' ~ current.position ~ ' */' -%}
    {%- if remembered is none or remembered not in history_positions(relation, current.version, remembered) -%}
        {{ return('(select * from ' ~ relation ~ ' version as of ' ~ current.version ~ ') ' ~ mark) }}
    {%- endif -%}

    {%- set since = remembered.split('@')[0] | int + 1 -%}
    {%- set rows -%}
        (
            select * except (_change_type, _commit_version, _commit_timestamp)
            from (
                select * from table_changes('{{ relation }}', {{ since }}, {{ current.version }})
                where _change_type in ('insert', 'update_postimage')
                {%- if key %}
                qualify row_number() over (partition by {{ key }} order by _commit_version desc) = 1
                {%- endif %}
            )
        ) {{ mark }}
    {%- endset -%}
    {{ return(rows) }}
{%- endmacro %}


{#
    All rows of a table that the same model also reads by `new_rows`. Named with its version, because Spark 4.2 takes a
    table and its `table_changes` in one query for the same relation, and then misses the columns of the change feed.
#}
{% macro all_rows(relation) -%}
    {%- if not execute or not is_incremental() or '__dbt__cte__' in relation | string or relation.limit is not none -%}
        {{ return(relation | string) }}
    {%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' version as of ' ~ read_position(relation).version ~ ')') }}
{%- endmacro %}


{# Post-hook: notes in the model's table how far it has read, unless that is noted already. #}
{% macro remember_read_versions() -%}
    {%- set reads = read_positions_of(model.get('compiled_code') or '') -%}
    {%- if execute and reads -%}
        {%- set known = remembered_properties(this) -%}
        {%- set moved = {} -%}
        {%- for name, position in reads.items() if known.get(name) != position -%}
            {%- do moved.update({name: position}) -%}
        {%- endfor -%}
        {%- if moved -%}
            {{ set_properties(this, moved) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# How far a model's compiled SQL reads, as properties: {'lakehouse.read.bronze.movies': '5@2026-01-29T00:00:00'}. #}
{% macro read_positions_of(compiled_code) -%}
    {%- set positions = {} -%}
    {%- for upstream, position in modules.re.findall('lakehouse\\.read (\\S+)=(\\S+)', compiled_code) -%}
        {%- do positions.update({'lakehouse.read.' ~ upstream: position}) -%}
    {%- endfor -%}
    {{ return(positions) }}
{%- endmacro %}
