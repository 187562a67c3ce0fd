{{ config(materialized='view') }}

with

graph_actor_metrics as (

    select * from {{ source('graph', 'actor_metrics') }}

),

actor_metrics as (

    select
        person_id,
        degree,
        weighted_degree,
        pagerank,
        weighted_pagerank,
        betweenness,
        betweenness_error,
        triangles,
        clustering_coefficient,
        component_id,
        community_id
    from graph_actor_metrics

)

select * from actor_metrics
