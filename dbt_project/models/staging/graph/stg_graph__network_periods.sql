{{ config(materialized='view') }}

with

graph_network_periods as (

    select * from {{ source('graph', 'network_periods') }}

),

network_periods as (

    select
        period_kind,
        first_year,
        last_year,
        movies,
        actors,
        edges,
        shared_movies,
        components,
        largest_component,
        communities,
        triangles,
        connected_triples,
        kept_actors,
        previous_actors
    from graph_network_periods

)

select * from network_periods
