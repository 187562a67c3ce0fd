{{ config(access='protected') }}

with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

movie_genres as (

    select * from {{ ref('movie_genres') }}

),

genre_movies as (

    select
        movie_genres.movie_genre_id as genre_movie_id,
        movie_genres.genre_id,
        movie_genres.genre_name,
        movie_performance.movie_id,
        movie_performance.title,
        movie_performance.release_date,
        movie_performance.release_year,
        movie_performance.release_month,
        movie_performance.rating,
        movie_performance.vote_count,
        movie_performance.weighted_rating,
        movie_performance.revenue,
        movie_performance.budget,
        movie_performance.roi,
        movie_performance.popularity_score,
        movie_performance.sentiment_score,
        movie_performance.computed_date,
        count(*) over (partition by movie_performance.movie_id) as genre_count
    from movie_genres
    inner join movie_performance
        on movie_genres.movie_id = movie_performance.movie_id
    where movie_performance.is_released

)

select * from genre_movies
