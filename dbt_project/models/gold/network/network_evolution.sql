with

network_periods as (

    select * from {{ ref('stg_graph__network_periods') }}

),

network_top_actors as (

    select * from {{ ref('stg_graph__network_top_actors') }}

),

people as (

    select * from {{ ref('people') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

periods as (

    select
        *,
        concat_ws('-', period_kind, first_year, last_year) as network_evolution_id,
        row_number() over (partition by period_kind order by first_year) as period_number
    from network_periods

),

top_actors as (

    select
        periods.network_evolution_id,
        periods.period_kind,
        periods.period_number,
        network_top_actors.place,
        network_top_actors.person_id,
        people.person_name
    from network_top_actors
    inner join periods
        on
            network_top_actors.period_kind = periods.period_kind
            and network_top_actors.first_year = periods.first_year
    left join people
        on network_top_actors.person_id = people.person_id

),

entered as (

    select
        top_actors.network_evolution_id,
        count(*) as actors,
        slice(
            array_sort(collect_list(struct(top_actors.place, top_actors.person_id, top_actors.person_name))),
            1,
            {{ var('top_list_length') }}
        ) as best_placed
    from top_actors
    left anti join top_actors as earlier
        on
            top_actors.person_id = earlier.person_id
            and top_actors.period_kind = earlier.period_kind
            and top_actors.period_number = earlier.period_number + 1
    group by top_actors.network_evolution_id

),

left_behind as (

    select
        periods.network_evolution_id,
        count(*) as actors,
        slice(
            array_sort(collect_list(struct(earlier.place, earlier.person_id, earlier.person_name))),
            1,
            {{ var('top_list_length') }}
        ) as best_placed
    from top_actors as earlier
    inner join periods
        on
            earlier.period_kind = periods.period_kind
            and earlier.period_number = periods.period_number - 1
    left anti join top_actors as later
        on
            earlier.person_id = later.person_id
            and earlier.period_kind = later.period_kind
            and earlier.period_number = later.period_number - 1
    group by periods.network_evolution_id

),

network_evolution as (

    select
        periods.network_evolution_id,
        periods.period_kind,
        periods.first_year,
        periods.last_year,
        periods.movies,
        periods.actors,
        periods.edges,
        periods.components,
        periods.communities,
        periods.triangles,
        cast(as_of.as_of_at as date) as computed_date,
        2.0d * periods.edges / nullif(periods.actors * (periods.actors - 1), 0) as density,
        cast(periods.largest_component as double) / periods.actors as giant_component_share,
        2.0d * periods.edges / periods.actors as mean_degree,
        3.0d * periods.triangles / nullif(periods.connected_triples, 0) as clustering,
        periods.actors - periods.kept_actors as entered_actors,
        periods.previous_actors - periods.kept_actors as left_actors,
        1
        - cast(periods.kept_actors as double)
        / (periods.actors + periods.previous_actors - periods.kept_actors) as turnover,
        case when periods.previous_actors is not null then coalesce(entered.actors, 0) end as entered_top,
        case when periods.previous_actors is not null then coalesce(left_behind.actors, 0) end as left_top,
        case
            when periods.previous_actors is null then array()
            else
                transform(
                    coalesce(entered.best_placed, array()), actor -> struct(actor.person_id, actor.person_name)
                )
        end as best_entered,
        transform(
            coalesce(left_behind.best_placed, array()), actor -> struct(actor.person_id, actor.person_name)
        ) as best_left
    from periods
    left join entered
        on periods.network_evolution_id = entered.network_evolution_id
    left join left_behind
        on periods.network_evolution_id = left_behind.network_evolution_id
    cross join as_of

)

select * from network_evolution
