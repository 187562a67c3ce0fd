with

movie_companies as (

    select * from {{ ref('movie_companies') }}

),

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

companies as (

    select * from {{ ref('companies') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

studios as (

    select
        movie_companies.company_id,
        {{ portfolio_measures('movie_performance') }}
    from movie_companies
    inner join movie_performance
        on movie_companies.movie_id = movie_performance.movie_id
    where movie_performance.is_released
    group by movie_companies.company_id
    having count(*) >= {{ var('studio_minimum_movies') }}

),

studio_rankings as (

    select
        studios.company_id,
        companies.company_name,
        studios.total_movies,
        studios.rated_movies,
        studios.mean_weighted_rating,
        studios.total_revenue,
        studios.median_revenue,
        studios.revenue_movies,
        studios.roi,
        studios.roi_movies,
        studios.hit_rate,
        cast(as_of.as_of_at as date) as computed_date,
        row_number() over (
            order by
                studios.mean_weighted_rating desc nulls last, studios.total_movies desc, studios.company_id asc
        ) as studio_rank
    from studios
    left join companies
        on studios.company_id = companies.company_id
    cross join as_of

)

select * from studio_rankings
