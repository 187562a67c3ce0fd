with

actor_edges as (

    select * from {{ ref('stg_graph__actor_edges') }}

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

pairs as (

    select
        person_id_a,
        person_id_b,
        shared_movies,
        first_year,
        last_year,
        concat_ws('-', person_id_a, person_id_b) as actor_collaboration_id
    from actor_edges
    where shared_movies >= {{ var('collaboration_minimum_movies') }}

),

acted_movies as (

    select distinct
        person_id,
        movie_id
    from cast_members

),

movies_of_pairs as (

    select
        pairs.actor_collaboration_id,
        movies.movie_id,
        movies.title,
        movies.release_date,
        movies.genres
    from pairs
    inner join acted_movies as acted_by_a
        on pairs.person_id_a = acted_by_a.person_id
    inner join acted_movies as acted_by_b
        on
            pairs.person_id_b = acted_by_b.person_id
            and acted_by_a.movie_id = acted_by_b.movie_id
    inner join movies
        on acted_by_a.movie_id = movies.movie_id

),

latest_movies as (

    select
        actor_collaboration_id,
        slice(
            array_sort(
                collect_list(
                    struct(-coalesce(unix_date(release_date), -1000000) as descending_date, movie_id, title)
                )
            ),
            1,
            {{ var('top_list_length') }}
        ) as latest_movies
    from movies_of_pairs
    group by actor_collaboration_id

),

main_genres as (

    {{ main_genres('movies_of_pairs', 'actor_collaboration_id') }}

),

actor_collaborations as (

    select
        pairs.actor_collaboration_id,
        pairs.person_id_a,
        people_a.person_name as person_name_a,
        pairs.person_id_b,
        people_b.person_name as person_name_b,
        pairs.shared_movies,
        pairs.first_year,
        pairs.last_year,
        cast(as_of.as_of_at as date) as computed_date,
        transform(
            coalesce(latest_movies.latest_movies, array()), movie -> struct(movie.movie_id, movie.title)
        ) as latest_movies,
        coalesce(main_genres.main_genres, array()) as main_genres
    from pairs
    left join people as people_a
        on pairs.person_id_a = people_a.person_id
    left join people as people_b
        on pairs.person_id_b = people_b.person_id
    left join latest_movies
        on pairs.actor_collaboration_id = latest_movies.actor_collaboration_id
    left join main_genres
        on pairs.actor_collaboration_id = main_genres.actor_collaboration_id
    cross join as_of

)

select * from actor_collaborations
