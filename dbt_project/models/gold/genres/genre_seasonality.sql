with

genre_movies as (

    select * from {{ ref('genre_movies') }}

),

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

genres as (

    select * from {{ ref('genres') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

all_months as (

    select explode(sequence(1, 12)) as release_month

),

movies_per_month as (

    select
        all_months.release_month,
        count(movie_performance.movie_id) as total_movies,
        count(movie_performance.movie_id) / sum(count(movie_performance.movie_id)) over () as share_of_all
    from all_months
    left join movie_performance
        on
            all_months.release_month = movie_performance.release_month
            and movie_performance.is_released
    group by all_months.release_month

),

genre_months as (

    select
        genre_ids.genre_id,
        movies_per_month.release_month,
        movies_per_month.share_of_all
    from (select distinct genre_id from genre_movies) as genre_ids
    cross join movies_per_month

),

monthly_measures as (

    select
        genre_months.genre_id,
        genre_months.release_month,
        genre_months.share_of_all,
        count(genre_movies.movie_id) as total_movies,
        count(genre_movies.rating) as rated_movies,
        {{ exact_avg('genre_movies.rating') }} as avg_rating,
        count(genre_movies.revenue) as revenue_movies,
        {{ exact_avg('genre_movies.revenue') }} as avg_revenue
    from genre_months
    left join genre_movies
        on
            genre_months.genre_id = genre_movies.genre_id
            and genre_months.release_month = genre_movies.release_month
    group by genre_months.genre_id, genre_months.release_month, genre_months.share_of_all

),

shares as (

    select
        *,
        total_movies / sum(total_movies) over (partition by genre_id) as share_of_genre
    from monthly_measures

),

genre_seasonality as (

    select
        shares.genre_id,
        genres.genre_name,
        shares.release_month,
        shares.total_movies,
        shares.share_of_genre,
        shares.share_of_all,
        shares.rated_movies,
        shares.avg_rating,
        shares.revenue_movies,
        shares.avg_revenue,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws('-', shares.genre_id, shares.release_month) as genre_seasonality_id,
        shares.share_of_genre / nullif(shares.share_of_all, 0) as seasonality_index,
        row_number() over (
            partition by shares.genre_id
            order by shares.total_movies desc, shares.release_month asc
        ) as month_rank
    from shares
    left join genres
        on shares.genre_id = genres.genre_id
    cross join as_of

)

select * from genre_seasonality
