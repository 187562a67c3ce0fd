{#
    The names that were counted most, as an array: the greatest count first, equal counts by name, as many as the variable
    `length` says. An aggregate over rows that hold one name and its count each.
#}
{% macro most_frequent(count, name, length) -%}
    transform(
        slice(array_sort(collect_list(struct(-{{ count }} as descending, {{ name }} as name))), 1, {{ var(length) }}),
        entry -> entry.name
    )
{%- endmacro %}
