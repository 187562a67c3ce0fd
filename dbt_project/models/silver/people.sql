{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='person_id',
        post_hook="{{ remember_read_versions() }}"
    )
}}

{# Folded as movies are (see `movie_records`): per field, the last observation that says something of the person. #}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

cast_credits as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        credit.person_id,
        credit.person_name,
        credit.gender,
        credit.known_for_department
    from new_observations
        lateral view explode(new_observations.cast_credits) as credit

),

crew_credits as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        credit.person_id,
        credit.person_name,
        credit.gender,
        credit.known_for_department
    from new_observations
        lateral view explode(new_observations.crew_credits) as credit

),

credits as (

    select * from cast_credits

    union all

    select * from crew_credits

),

fields_said as (

    select
        person_id,
        case
            when person_name is not null then struct(observed_at, payload_sha256, person_name as value)
        end as person_name_said,
        case
            when gender is not null then struct(observed_at, payload_sha256, gender as value)
        end as gender_said,
        case
            when known_for_department is not null
                then struct(observed_at, payload_sha256, known_for_department as value)
        end as known_for_department_said
    from credits

    {% if is_incremental() %}
    union all

    select
        previous.person_id,
        previous.person_name_said,
        previous.gender_said,
        previous.known_for_department_said
    from {{ this }} as previous
    left semi join credits
        on previous.person_id = credits.person_id
    {% endif %}

),

last_said as (

    select
        person_id,
        max(person_name_said) as person_name_said,
        max(gender_said) as gender_said,
        max(known_for_department_said) as known_for_department_said
    from fields_said
    group by person_id

),

people as (

    select
        person_id,
        person_name_said.value as person_name,
        gender_said.value as gender,
        known_for_department_said.value as known_for_department,
        person_name_said,
        gender_said,
        known_for_department_said
    from last_said

)

select * from people
