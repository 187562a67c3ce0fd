{#
    A yearly measure against the year before, the years being without gaps: as a ratio less 1, and as a difference. NULL where
    there is nothing to compare with, and in the year that is not over (`is_partial_year`). `years` names a window.
#}
{% macro growth_over(measure, years) -%}
    case when not is_partial_year then {{ measure }} / nullif(lag({{ measure }}) over {{ years }}, 0) - 1 end
{%- endmacro %}


{% macro change_over(measure, years) -%}
    case when not is_partial_year then {{ measure }} - lag({{ measure }}) over {{ years }} end
{%- endmacro %}
