{#
    How a unit test is run, in place of dbt's own way, which asks for the model's column types through a temporary view.
    All connections to the Thrift server share one Spark session, and a connection that closes while another one's
    temporary view is dropped fails (Spark walks the views that it listed a moment before). `describe query` needs no
    view, and saves two statements a test.
#}
{% materialization unit, adapter='spark' -%}
    {%- set types = {} -%}
    {%- set quoted = {} -%}
    {%- set query_columns = run_query('describe query ' ~ sql).rows -%}
    {%- for row in query_columns -%}
        {%- do types.update({row['col_name'] | lower: row['data_type']}) -%}
        {%- do quoted.update({row['col_name'] | lower: adapter.quote(row['col_name'])}) -%}
    {%- endfor -%}

    {%- set expected_rows = config.get('expected_rows') -%}
    {%- set expected_sql = config.get('expected_sql') or get_expected_sql(expected_rows, types, quoted) -%}
    {%- set tested_columns = [] -%}
    {%- for name in (expected_rows[0] if expected_rows else types) -%}
        {%- do tested_columns.append(quoted[name | lower]) -%}
    {%- endfor -%}

    {% call statement('main', fetch_result=True) -%}
        {{ get_unit_test_sql(sql, expected_sql, tested_columns) }}
    {%- endcall %}

    {{ return({'relations': []}) }}
{%- endmaterialization %}
