{#
    Delta's liquid clustering, from the config `liquid_clustered_by: [columns]`, in place of dbt-spark's
    `clustered by ... into n buckets`, which Delta refuses.
#}
{% macro spark__clustered_cols(label, required=false) -%}
    {%- set columns = config.get('liquid_clustered_by') -%}
    {%- if columns %}
    cluster by ({{ columns | join(', ') }})
    {%- endif -%}
{%- endmacro %}
