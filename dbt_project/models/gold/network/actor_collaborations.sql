with

actor_edges as (

    select * from {{ ref('stg_graph__actor_edges') }}

),

people as (

    select * from {{ ref('people') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

actor_collaborations as (

    select
        actor_edges.person_id_a,
        people_a.person_name as person_name_a,
        actor_edges.person_id_b,
        people_b.person_name as person_name_b,
        actor_edges.shared_movies,
        actor_edges.first_year,
        actor_edges.last_year,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws('-', actor_edges.person_id_a, actor_edges.person_id_b) as actor_collaboration_id
    from actor_edges
    left join people as people_a
        on actor_edges.person_id_a = people_a.person_id
    left join people as people_b
        on actor_edges.person_id_b = people_b.person_id
    cross join as_of
    where actor_edges.shared_movies >= {{ var('collaboration_minimum_movies') }}

)

select * from actor_collaborations
