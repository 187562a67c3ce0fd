with

genre_movies as (

    select * from {{ ref('genre_movies') }}

),

genres as (

    select * from {{ ref('genres') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

first_years as (

    select
        genre_id,
        min(release_year) as first_year
    from genre_movies
    group by genre_id

),

genre_years as (

    select
        first_years.genre_id,
        cast(as_of.as_of_at as date) as computed_date,
        explode(sequence(first_years.first_year, year(as_of.as_of_at))) as release_year
    from first_years
    cross join as_of

),

yearly_measures as (

    select
        genre_years.genre_id,
        genre_years.release_year,
        genre_years.computed_date,
        genre_years.release_year = year(genre_years.computed_date) as is_partial_year,
        count(genre_movies.movie_id) as total_movies,
        count(genre_movies.rating) as rated_movies,
        {{ exact_avg('genre_movies.rating') }} as avg_rating,
        count(genre_movies.revenue) as revenue_movies,
        sum(genre_movies.revenue) as total_revenue,
        count(genre_movies.budget) as budget_movies,
        {{ exact_avg('genre_movies.budget') }} as avg_budget,
        count(genre_movies.sentiment_score) as sentiment_movies,
        {{ exact_avg('genre_movies.sentiment_score') }} as avg_sentiment
    from genre_years
    left join genre_movies
        on
            genre_years.genre_id = genre_movies.genre_id
            and genre_years.release_year = genre_movies.release_year
    group by genre_years.genre_id, genre_years.release_year, genre_years.computed_date

),

genre_trends as (

    select
        yearly_measures.genre_id,
        genres.genre_name,
        yearly_measures.release_year,
        yearly_measures.is_partial_year,
        yearly_measures.total_movies,
        yearly_measures.rated_movies,
        yearly_measures.avg_rating,
        yearly_measures.revenue_movies,
        yearly_measures.total_revenue,
        yearly_measures.budget_movies,
        yearly_measures.avg_budget,
        yearly_measures.sentiment_movies,
        yearly_measures.avg_sentiment,
        yearly_measures.computed_date,
        concat_ws('-', yearly_measures.genre_id, yearly_measures.release_year) as genre_trend_id,
        {{ growth_over('total_movies', 'by_year') }} as movies_growth,
        {{ growth_over('total_revenue', 'by_year') }} as revenue_growth,
        {{ change_over('avg_rating', 'by_year') }} as rating_change,
        case
            when count(*) over last_three_years = 3
                then sum(yearly_measures.total_movies) over last_three_years / 3
        end as rolling_3y_movies
    from yearly_measures
    left join genres
        on yearly_measures.genre_id = genres.genre_id
    window
        by_year as (partition by yearly_measures.genre_id order by yearly_measures.release_year),
        last_three_years as (
            partition by yearly_measures.genre_id
            order by yearly_measures.release_year
            rows between 2 preceding and current row
        )

)

select * from genre_trends
