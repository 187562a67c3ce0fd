{{ config(materialized='view') }}

with

graph_actor_edges as (

    select * from {{ source('graph', 'actor_edges') }}

),

actor_edges as (

    select
        person_id_a,
        person_id_b,
        shared_movies,
        first_year,
        last_year
    from graph_actor_edges

)

select * from actor_edges
