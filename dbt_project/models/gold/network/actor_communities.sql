with

actor_metrics as (

    select * from {{ ref('stg_graph__actor_metrics') }}

),

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

members as (

    select
        actor_metrics.community_id,
        actor_metrics.person_id,
        people.person_name,
        actor_metrics.pagerank,
        actor_metrics.degree
    from actor_metrics
    left join people
        on actor_metrics.person_id = people.person_id

),

communities as (

    select
        community_id,
        count(*) as actors,
        sum(degree) as edge_ends,
        slice(
            array_sort(collect_list(struct(-pagerank as descending_pagerank, person_id, person_name))),
            1,
            {{ var('top_list_length') }}
        ) as best_known
    from members
    group by community_id
    having count(*) >= {{ var('community_minimum_actors') }}

),

edges_inside as (

    select
        members_a.community_id,
        count(*) as edges,
        sum(actor_edges.shared_movies) as shared_movies
    from actor_edges
    inner join members as members_a
        on actor_edges.person_id_a = members_a.person_id
    inner join members as members_b
        on
            actor_edges.person_id_b = members_b.person_id
            and members_a.community_id = members_b.community_id
    group by members_a.community_id

),

movies_of_communities as (

    select
        members.community_id,
        cast_members.movie_id,
        count(distinct members.person_id) as acting_members
    from cast_members
    inner join members
        on cast_members.person_id = members.person_id
    group by members.community_id, cast_members.movie_id

),

shared_movies_of_communities as (

    select
        movies_of_communities.community_id,
        movies.movie_id,
        movies.release_year,
        movies.genres
    from movies_of_communities
    inner join movies
        on movies_of_communities.movie_id = movies.movie_id
    where movies_of_communities.acting_members >= 2

),

years as (

    select
        community_id,
        count(*) as movies,
        min(release_year) as first_year,
        max(release_year) as last_year
    from shared_movies_of_communities
    group by community_id

),

main_genres as (

    {{ main_genres('shared_movies_of_communities', 'community_id') }}

),

actor_communities as (

    select
        communities.community_id,
        communities.actors,
        years.first_year,
        years.last_year,
        cast(as_of.as_of_at as date) as computed_date,
        coalesce(edges_inside.edges, 0) as edges,
        coalesce(edges_inside.shared_movies, 0) as shared_movies,
        communities.edge_ends - 2 * coalesce(edges_inside.edges, 0) as edges_to_others,
        2.0d * coalesce(edges_inside.edges, 0) / (communities.actors * (communities.actors - 1)) as density,
        coalesce(years.movies, 0) as movies,
        concat_ws(
            ', ',
            transform(
                slice(communities.best_known, 1, 3),
                member -> coalesce(member.person_name, cast(member.person_id as string))
            )
        ) as community_name,
        transform(communities.best_known, member -> struct(member.person_id, member.person_name)) as top_actors,
        coalesce(main_genres.main_genres, array()) as main_genres,
        row_number() over (order by communities.actors desc, communities.community_id asc) as size_rank
    from communities
    left join edges_inside
        on communities.community_id = edges_inside.community_id
    left join years
        on communities.community_id = years.community_id
    left join main_genres
        on communities.community_id = main_genres.community_id
    cross join as_of

)

select * from actor_communities
