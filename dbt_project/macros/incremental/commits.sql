{#
    The last thirty commits of a Delta table, newest first. Asked for once an invocation: what a model reads was built before it in
    the same run, or is not built in it at all, and Delta takes a good part of a second to read its log.
#}
{% macro recent_commits(relation) -%}
    {%- set known = graph.setdefault('lakehouse_commits', {}).setdefault(invocation_id, {}) -%}
    {%- if relation | string not in known -%}
        {%- do known.update({relation | string: run_query('describe history ' ~ relation ~ ' limit 30').rows}) -%}
    {%- endif -%}
    {{ return(known[relation | string]) }}
{%- endmacro %}


{# The newest commit of a Delta table: {'version': 5, 'position': '5@2026-01-29T00:00:00'}. #}
{% macro read_position(relation) -%}
    {%- set row = recent_commits(relation)[0] -%}
    {{ return({'version': row['version'] | int, 'position': commit_position(row)}) }}
{%- endmacro %}


{# The positions of a table's commits, newest first, down to the remembered one. #}
{% macro history_positions(relation, current_version, remembered) -%}
    {%- set commits = current_version - (remembered.split('@')[0] | int) + 1 -%}
    {%- set positions = [] -%}
    {%- if commits > 0 -%}
        {%- for row in run_query('describe history ' ~ relation ~ ' limit ' ~ commits).rows -%}
            {%- do positions.append(commit_position(row)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(positions) }}
{%- endmacro %}


{% macro commit_position(history_row) -%}
    {{ return((history_row['version'] | int) ~ '@' ~ history_row['timestamp'].isoformat()) }}
{%- endmacro %}


{# A table's properties: {'lakehouse.read.bronze.movies': '5@2026-01-29T00:00:00'}. #}
{% macro remembered_properties(relation) -%}
    {%- set properties = {} -%}
    {%- for row in run_query('show tblproperties ' ~ relation).rows if row[0].startswith('lakehouse.') -%}
        {%- do properties.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{ return(properties) }}
{%- endmacro %}
