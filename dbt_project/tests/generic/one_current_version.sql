{#
    Each thing in a snapshot has exactly one current version, and no version ends before it begins.

    Fails with a row for each thing that breaks this.
#}
{% test one_current_version(model, key) %}

select
    {{ key }},
    count_if(dbt_valid_to is null) as current_versions,
    count_if(dbt_valid_to < dbt_valid_from) as reversed_versions
from {{ model }}
group by {{ key }}
having current_versions != 1 or reversed_versions > 0

{% endtest %}
