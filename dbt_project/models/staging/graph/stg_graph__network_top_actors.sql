{{ config(materialized='view') }}

with

graph_network_top_actors as (

    select * from {{ source('graph', 'network_top_actors') }}

),

network_top_actors as (

    select
        period_kind,
        first_year,
        last_year,
        place,
        person_id,
        degree,
        weighted_degree
    from graph_network_top_actors

)

select * from network_top_actors
