with

crew_members as (

    select * from {{ ref('crew_members') }}

),

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

people as (

    select * from {{ ref('people') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

directed_movies as (

    select distinct
        person_id,
        movie_id
    from crew_members
    where job = 'Director'

),

directors as (

    select
        directed_movies.person_id,
        {{ portfolio_measures('movie_performance') }}
    from directed_movies
    inner join movie_performance
        on directed_movies.movie_id = movie_performance.movie_id
    where movie_performance.is_released
    group by directed_movies.person_id
    having count(*) >= {{ var('director_minimum_movies') }}

),

director_rankings as (

    select
        directors.person_id,
        people.person_name,
        directors.total_movies,
        directors.rated_movies,
        directors.mean_weighted_rating,
        directors.total_revenue,
        directors.median_revenue,
        directors.revenue_movies,
        directors.roi,
        directors.roi_movies,
        directors.hit_rate,
        cast(as_of.as_of_at as date) as computed_date,
        row_number() over (
            order by
                directors.mean_weighted_rating desc nulls last, directors.total_movies desc, directors.person_id asc
        ) as director_rank
    from directors
    left join people
        on directors.person_id = people.person_id
    cross join as_of

)

select * from director_rankings
