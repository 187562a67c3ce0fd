{{ config(group='analytics') }}

{#
    The tables of the graph jobs are of one network: what one run wrote, whole. A run that was killed while it wrote leaves
    network_runs empty. Fails with a row for each law that is broken: what should be equal, and what was found.
#}
with

network_runs as (

    select
        coalesce(sum(actors), 0) as actors,
        coalesce(sum(edges), 0) as edges,
        coalesce(sum(communities), 0) as communities,
        coalesce(sum(components), 0) as components,
        max(target_person_id) as target_person_id
    from {{ ref('stg_graph__network_runs') }}

),

actor_metrics as (

    select
        count(*) as actors,
        coalesce(sum(degree), 0) as degrees,
        coalesce(sum(weighted_degree), 0) as weighted_degrees,
        count(distinct community_id) as communities,
        count(distinct component_id) as components,
        coalesce(sum(pagerank), 1) as pagerank,
        coalesce(sum(weighted_pagerank), 1) as weighted_pagerank
    from {{ ref('stg_graph__actor_metrics') }}

),

actor_edges as (

    select
        count(*) as edges,
        coalesce(sum(actor_edges.shared_movies), 0) as shared_movies,
        count_if(not metrics_a.component_id <=> metrics_b.component_id) as torn_edges
    from {{ ref('stg_graph__actor_edges') }} as actor_edges
    left join {{ ref('stg_graph__actor_metrics') }} as metrics_a
        on actor_edges.person_id_a = metrics_a.person_id
    left join {{ ref('stg_graph__actor_metrics') }} as metrics_b
        on actor_edges.person_id_b = metrics_b.person_id

),

actor_distances as (

    select
        count(*) as actors,
        count_if(not actor_distances.target_person_id <=> network_runs.target_person_id) as of_other_targets
    from {{ ref('stg_graph__actor_distances') }} as actor_distances
    cross join network_runs

),

laws as (

    select
        stack(
            10,
            'rows of actor_metrics', network_runs.actors, actor_metrics.actors,
            'rows of actor_edges', network_runs.edges, actor_edges.edges,
            'communities', network_runs.communities, actor_metrics.communities,
            'components', network_runs.components, actor_metrics.components,
            'sum of degrees', 2 * actor_edges.edges, actor_metrics.degrees,
            'sum of weighted degrees', 2 * actor_edges.shared_movies, actor_metrics.weighted_degrees,
            'edges between components', cast(0 as bigint), actor_edges.torn_edges,
            'paths to another actor', cast(0 as bigint), actor_distances.of_other_targets,
            'millionths of PageRank', cast(1000000 as bigint), cast(round(actor_metrics.pagerank * 1000000) as bigint),
            'millionths of weighted PageRank',
            cast(1000000 as bigint),
            cast(round(actor_metrics.weighted_pagerank * 1000000) as bigint)
        ) as (what, expected, found)
    from network_runs
    cross join actor_metrics
    cross join actor_edges
    cross join actor_distances

)

select * from laws
where expected != found
