{{ config(materialized='table', meta={'is_compared_by': 'content'}) }}

{#
    The instant that Gold is computed for. No model reads a clock: the instant is the variable `as_of`, else the greatest
    time that the landed data states of itself, else (all times were assumed) the time of the latest observation. So the
    same data gives the same Gold whenever it is built.
#}

with

batches as (

    select * from {{ ref('stg_tmdb__batches') }}

),

movie_observations as (

    select * from {{ ref('movie_observations') }}

),

last_stated as (

    select max(stated_until_at) as stated_until_at from batches

),

last_observation as (

    select max(observed_at) as observed_at from movie_observations

),

as_of as (

    select
        coalesce(
            {% if var('as_of') %}timestamp '{{ var("as_of") }}',{% endif %}
            last_stated.stated_until_at,
            last_observation.observed_at
        ) as as_of_at
    from last_stated
    cross join last_observation

)

select * from as_of
