{{ config(materialized='view') }}

with

graph_network_runs as (

    select * from {{ source('graph', 'network_runs') }}

),

network_runs as (

    select
        network_sha256,
        movies,
        actors,
        edges,
        components,
        largest_component,
        communities,
        modularity,
        betweenness_sources,
        betweenness_pivots,
        betweenness_bound,
        target_person_id
    from graph_network_runs

)

select * from network_runs
