with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

released_movies as (

    select * from movie_performance
    where is_released

),

first_year as (

    select min(release_year) as release_year from released_movies

),

years as (

    select
        cast(as_of.as_of_at as date) as computed_date,
        explode(sequence(first_year.release_year, year(as_of.as_of_at))) as release_year
    from first_year
    cross join as_of
    where first_year.release_year is not null

),

yearly_measures as (

    select
        years.release_year,
        years.computed_date,
        years.release_year = year(years.computed_date) as is_partial_year,
        count(released_movies.movie_id) as total_movies,
        count(released_movies.rating) as rated_movies,
        {{ exact_avg('released_movies.rating') }} as avg_rating,
        count(released_movies.revenue) as revenue_movies,
        sum(released_movies.revenue) as total_revenue,
        count(released_movies.budget) as budget_movies,
        sum(released_movies.budget) as total_budget,
        count(released_movies.sentiment_score) as sentiment_movies,
        {{ exact_avg('released_movies.sentiment_score') }} as avg_sentiment
    from years
    left join released_movies
        on years.release_year = released_movies.release_year
    group by years.release_year, years.computed_date

),

yoy_growth as (

    select
        *,
        {{ growth_over('total_movies', 'by_year') }} as movies_growth,
        {{ change_over('avg_rating', 'by_year') }} as rating_change,
        {{ growth_over('total_revenue', 'by_year') }} as revenue_growth,
        {{ growth_over('total_budget', 'by_year') }} as budget_growth,
        {{ change_over('avg_sentiment', 'by_year') }} as sentiment_change
    from yearly_measures
    window by_year as (order by release_year)

)

select * from yoy_growth
