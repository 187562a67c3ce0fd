{{ config(materialized='view') }}

with

graph_actor_distances as (

    select * from {{ source('graph', 'actor_distances') }}

),

actor_distances as (

    select
        person_id,
        target_person_id,
        distance,
        next_person_id
    from graph_actor_distances

)

select * from actor_distances
