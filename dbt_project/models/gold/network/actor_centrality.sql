with

actor_metrics as (

    select * from {{ ref('stg_graph__actor_metrics') }}

),

people as (

    select * from {{ ref('people') }}

),

cast_members as (

    select * from {{ ref('cast_members') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

movies_per_actor as (

    select
        person_id,
        count(distinct movie_id) as total_movies
    from cast_members
    group by person_id

),

actor_centrality as (

    select
        actor_metrics.person_id,
        people.person_name,
        actor_metrics.degree,
        actor_metrics.weighted_degree,
        actor_metrics.pagerank,
        actor_metrics.component_id,
        actor_metrics.community_id,
        cast(as_of.as_of_at as date) as computed_date,
        coalesce(movies_per_actor.total_movies, 0) as total_movies,
        row_number() over (order by actor_metrics.pagerank desc, actor_metrics.person_id asc) as pagerank_rank
    from actor_metrics
    left join people
        on actor_metrics.person_id = people.person_id
    left join movies_per_actor
        on actor_metrics.person_id = movies_per_actor.person_id
    cross join as_of

)

select * from actor_centrality
