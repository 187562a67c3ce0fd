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
        count(*) as total_movies,
        count(movie_performance.weighted_rating) as rated_movies,
        round({{ exact_avg('movie_performance.weighted_rating') }}, 6) as mean_weighted_rating,
        sum(movie_performance.revenue) as total_revenue,
        percentile(movie_performance.revenue, 0.5) as median_revenue,
        count(movie_performance.revenue) as revenue_movies,
        -- of all money that is known on both sides, not the mean of ratios
        sum(movie_performance.profit)
        / sum(movie_performance.budget) filter (where movie_performance.profit is not null) as roi,
        count(movie_performance.roi) as roi_movies,
        count_if(movie_performance.roi >= {{ var('hit_minimum_roi') }})
        / nullif(count(movie_performance.roi), 0) as hit_rate
    from directed_movies
    inner join movie_performance
        on directed_movies.movie_id = movie_performance.movie_id
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
