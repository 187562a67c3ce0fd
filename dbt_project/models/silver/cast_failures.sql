{{ config(materialized='view') }}

with

observations as (

    select * from {{ ref('stg_tmdb__observations') }}

),

failed_fields as (

    select
        observation_id,
        batch_id,
        field_name
    from observations
        lateral view explode(uncastable_fields) as field_name

),

cast_failures as (

    select
        field_name,
        batch_id,
        count(*) as failed_observations,
        min(observation_id) as example_observation_id
    from failed_fields
    group by field_name, batch_id

)

select * from cast_failures
