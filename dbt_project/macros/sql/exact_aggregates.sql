{#
    Sums and means whose result does not depend on the order of the rows: doubles are summed as decimals with eight
    places. The same input gives the same bits on any number of tasks, so a re-run changes no content hash.
#}
{% macro exact_sum(column) -%}
    cast(sum(cast({{ column }} as decimal(28, 8))) as double)
{%- endmacro %}


{# NULL where the column has no value. #}
{% macro exact_avg(column) -%}
    cast(sum(cast({{ column }} as decimal(28, 8))) as double) / nullif(count({{ column }}), 0)
{%- endmacro %}
