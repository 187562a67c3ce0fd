{#
    The primary key, a column or several, is filled and unique, and each foreign key is filled and names a row of another model. All keys of a
    model are tested in one query, because over Thrift a query costs most of a second before it reads anything.

    Fails with a row for each value that breaks a key: the column, the value, how often it occurs.
#}
{% test keys(model, primary, foreign=[]) %}

{% set columns = [primary] if primary is string else primary %}
select
    '{{ columns | join("-") }}' as column_name,
    concat_ws('-', {{ columns | join(', ') }}) as offending_value,
    count(*) as occurrences
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null

{%- for key in foreign %}

union all

select
    '{{ key.column }}' as column_name,
    cast(child.{{ key.column }} as string) as offending_value,
    1 as occurrences
from {{ model }} as child
left anti join {{ key.to }} as parent
    on child.{{ key.column }} = parent.{{ key.field }}

{%- endfor %}

{% endtest %}
