{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='person_id',
        post_hook="{{ remember_read_versions() }}"
    )
}}

{# Folded as movies are (see `movie_records`): per field, the last observation that says something of the person. #}
{% set person_fields = ['person_name', 'gender', 'known_for_department'] %}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

credits as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        credit.*
    from new_observations
    lateral view explode(
        concat(
            {%- for credits in ['cast_credits', 'crew_credits'] %}
            transform(
                coalesce(new_observations.{{ credits }}, array()),
                credit -> struct(credit.person_id {% for field in person_fields %}, credit.{{ field }}{% endfor %})
            ){{ ',' if not loop.last }}
            {%- endfor %}
        )
    ) as credit

),

fields_said as (

    select
        person_id
        {%- for field in person_fields %},
        case
            when {{ field }} is not null then struct(observed_at, payload_sha256, {{ field }} as value)
        end as {{ field }}_said
        {%- endfor %}
    from credits

    {% if is_incremental() %}
    union all

    select
        existing.person_id
        {%- for field in person_fields %},
        existing.{{ field }}_said
        {%- endfor %}
    from {{ this }} as existing
    left semi join credits
        on existing.person_id = credits.person_id
    {% endif %}

),

last_said as (

    select
        person_id
        {%- for field in person_fields %},
        max({{ field }}_said) as {{ field }}_said
        {%- endfor %}
    from fields_said
    group by person_id

),

people as (

    select
        person_id
        {%- for field in person_fields %},
        {{ field }}_said.value as {{ field }}
        {%- endfor %}
        {%- for field in person_fields %},
        {{ field }}_said
        {%- endfor %}
    from last_said

)

select * from people
