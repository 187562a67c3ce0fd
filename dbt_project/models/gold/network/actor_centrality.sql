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

movies as (

    select * from {{ ref('movies') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

acted_movies as (

    select distinct
        person_id,
        movie_id
    from cast_members

),

movies_of_actors as (

    select
        acted_movies.person_id,
        movies.release_year,
        movies.genres
    from acted_movies
    left join movies
        on acted_movies.movie_id = movies.movie_id

),

movies_per_actor as (

    select
        person_id,
        count(*) as total_movies,
        min(release_year) as first_year,
        max(release_year) as last_year
    from movies_of_actors
    group by person_id

),

main_genres as (

    {{ main_genres('movies_of_actors', 'person_id') }}

),

actor_centrality as (

    select
        actor_metrics.person_id,
        people.person_name,
        movies_per_actor.first_year,
        movies_per_actor.last_year,
        actor_metrics.degree,
        actor_metrics.weighted_degree,
        actor_metrics.pagerank,
        actor_metrics.weighted_pagerank,
        actor_metrics.betweenness,
        actor_metrics.betweenness_error,
        actor_metrics.triangles,
        actor_metrics.clustering_coefficient,
        actor_metrics.component_id,
        actor_metrics.community_id,
        cast(as_of.as_of_at as date) as computed_date,
        coalesce(movies_per_actor.total_movies, 0) as total_movies,
        coalesce(main_genres.main_genres, array()) as main_genres,
        row_number() over (order by actor_metrics.pagerank desc, actor_metrics.person_id asc) as pagerank_rank,
        row_number() over (order by actor_metrics.betweenness desc, actor_metrics.person_id asc) as betweenness_rank
    from actor_metrics
    left join people
        on actor_metrics.person_id = people.person_id
    left join movies_per_actor
        on actor_metrics.person_id = movies_per_actor.person_id
    left join main_genres
        on actor_metrics.person_id = main_genres.person_id
    cross join as_of

)

select * from actor_centrality
