{#
    (rank - 1) / (n - 1) of a measure among the rows of the same group that have the measure; ties are equal. NULL where
    the measure or the group is not known.
#}
{% macro percentile_within(measure, group) -%}
    case
        when {{ measure }} is not null and {{ group }} is not null
            then percent_rank() over (partition by {{ group }}, {{ measure }} is not null order by {{ measure }})
    end
{%- endmacro %}
