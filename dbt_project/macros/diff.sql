{#
    What a model is in the scratch schemas against what is published: rows that came and went, and for each column how many
    rows differ, with an example. `dbt run-operation diff --target scratch --args '{model_name: trending_scores}'`
#}
{% macro diff(model_name) -%}
    {%- set found = graph.nodes.values() | selectattr('name', 'equalto', model_name)
        | selectattr('resource_type', 'equalto', 'model') | list -%}
    {%- if not found -%}
        {{ exceptions.raise_compiler_error('There is no model ' ~ model_name ~ '. `dbt ls` lists them.') }}
    {%- endif -%}
    {%- if target.name == 'local' -%}
        {{ exceptions.raise_compiler_error('This compares scratch schemas with what is published: add --target scratch.') }}
    {%- endif -%}
    {%- set changed = api.Relation.create(schema=found[0].schema, identifier=found[0].alias) -%}
    {#- Gold is built in `gold_build`; what is published of it is what readers see, `gold`. -#}
    {%- set published = api.Relation.create(
        schema=found[0].config.schema | replace('gold_build', 'gold'), identifier=found[0].alias
    ) -%}
    {%- set keys = graph.nodes.values() | selectattr('name', 'equalto', 'keys_of_' ~ model_name) | list -%}
    {%- set key = keys[0].test_metadata.kwargs.primary -%}
    {%- set columns = adapter.get_columns_in_relation(published) | map(attribute='name') | list -%}
    {%- set both = 'published.' ~ key ~ ' is not null and changed.' ~ key ~ ' is not null' -%}

    {%- set sql -%}
        select
            count(published.{{ key }}) as published_rows,
            count(changed.{{ key }}) as changed_rows,
            count_if(published.{{ key }} is null) as added_rows,
            count_if(changed.{{ key }} is null) as removed_rows
            {%- for column in columns %},
            count_if({{ both }} and not published.{{ column }} <=> changed.{{ column }}) as differ_{{ column }},
            min(case when {{ both }} and not published.{{ column }} <=> changed.{{ column }} then concat(
                {{ key }}, ': ', coalesce(to_json(array(published.{{ column }})), ''), ' -> ',
                coalesce(to_json(array(changed.{{ column }})), '')
            ) end) as example_{{ column }}
            {%- endfor %}
        from {{ published }} as published
        full join {{ changed }} as changed
            using ({{ key }})
    {%- endset -%}
    {%- set row = run_query(sql).rows[0] -%}

    {%- do print(published ~ ': ' ~ row['published_rows'] ~ ' rows published, ' ~ row['changed_rows'] ~ ' in ' ~ changed
        ~ ', ' ~ row['added_rows'] ~ ' added, ' ~ row['removed_rows'] ~ ' removed') -%}
    {%- for column in columns if row['differ_' ~ column] > 0 -%}
        {%- do print('  ' ~ column ~ ' differs in ' ~ row['differ_' ~ column] ~ ' rows, e.g. '
            ~ row['example_' ~ column]) -%}
    {%- endfor -%}
    {%- set same = [] -%}
    {%- for column in columns if row['differ_' ~ column] == 0 -%}
        {%- do same.append(column) -%}
    {%- endfor -%}
    {%- do print('  the same in all rows: ' ~ same | join(', ')) -%}
{%- endmacro %}
