{#
    Each of the columns is filled and names a row of another model. All keys of a model in one query, because a query over
    Thrift costs most of a second before it reads anything.
#}
{% test foreign_keys(model, keys) %}

{% for key in keys %}
select
    '{{ key.column }}' as column_name,
    cast(child.{{ key.column }} as string) as orphan
from {{ model }} as child
left anti join {{ key.to }} as parent
    on child.{{ key.column }} = parent.{{ key.field }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}

{% endtest %}
