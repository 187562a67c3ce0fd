with

actor_distances_of_graph as (

    select * from {{ ref('stg_graph__actor_distances') }}

),

people as (

    select * from {{ ref('people') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

actor_distances as (

    select
        actor_distances_of_graph.person_id,
        people.person_name,
        actor_distances_of_graph.distance,
        actor_distances_of_graph.next_person_id,
        next_people.person_name as next_person_name,
        actor_distances_of_graph.target_person_id,
        target_people.person_name as target_person_name,
        cast(as_of.as_of_at as date) as computed_date
    from actor_distances_of_graph
    left join people
        on actor_distances_of_graph.person_id = people.person_id
    left join people as next_people
        on actor_distances_of_graph.next_person_id = next_people.person_id
    left join people as target_people
        on actor_distances_of_graph.target_person_id = target_people.person_id
    cross join as_of

)

select * from actor_distances
