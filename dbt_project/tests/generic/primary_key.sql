{# The column has no NULL and no value twice, in one pass. #}
{% test primary_key(model, column) %}

select
    {{ column }},
    count(*) as row_count
from {{ model }}
group by {{ column }}
having count(*) > 1 or {{ column }} is null

{% endtest %}
