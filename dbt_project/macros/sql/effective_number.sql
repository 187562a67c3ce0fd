{#
    How many equally frequent kinds would be as diverse as these shares, which sum to 1: exp(-sum of p ln p), the exponential
    of Shannon's entropy. Eight places; the sum is one of decimals, and does not depend on the order of rows.
#}
{% macro effective_number(share) -%}
    round(exp(-cast(sum(cast({{ share }} * ln({{ share }}) as decimal(28, 18))) as double)), 8)
{%- endmacro %}
