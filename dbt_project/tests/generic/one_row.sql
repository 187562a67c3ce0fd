{#
    The model has exactly one row. Fails with the number that it has. (Under --empty no model has one.)
#}
{% test one_row(model) %}

select count(*) as found_rows
from {{ model }}
having count(*) != {{ 0 if flags.EMPTY else 1 }}

{% endtest %}
