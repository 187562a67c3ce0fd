with

movies as (

    select * from {{ ref('movies') }}

),

movie_genres as (

    select * from {{ ref('movie_genres') }}

),

reviews as (

    select * from {{ ref('reviews') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

mean_of_all_movies as (

    select {{ exact_avg('rating') }} as mean_rating from movies

),

primary_genres as (

    select
        movie_id,
        min_by(genre_id, position) as primary_genre_id
    from movie_genres
    where genre_name is not null
    group by movie_id

),

audience as (

    select
        movie_id,
        count(sentiment_score) as review_count,
        {{ exact_avg('sentiment_score') }} as audience_sentiment
    from reviews
    group by movie_id

),

rated as (

    select
        movies.*,
        primary_genres.primary_genre_id,
        {{ weighted_rating('movies.rating', 'movies.vote_count', 'mean_of_all_movies.mean_rating') }} as weighted_rating
    from movies
    cross join mean_of_all_movies
    left join primary_genres
        on movies.movie_id = primary_genres.movie_id

),

ranked as (

    select
        *,
        {{ percentile_within('weighted_rating', 'primary_genre_id') }} as weighted_rating_percentile_in_genre,
        {{ percentile_within('weighted_rating', 'release_year') }} as weighted_rating_percentile_in_year,
        {{ percentile_within('revenue', 'primary_genre_id') }} as revenue_percentile_in_genre,
        {{ percentile_within('revenue', 'release_year') }} as revenue_percentile_in_year,
        {{ percentile_within('roi', 'primary_genre_id') }} as roi_percentile_in_genre,
        {{ percentile_within('roi', 'release_year') }} as roi_percentile_in_year
    from rated

),

movie_performance as (

    select
        ranked.movie_id,
        ranked.title,
        ranked.release_date,
        ranked.release_year,
        ranked.release_month,
        ranked.primary_genre_id,
        ranked.primary_genre,
        ranked.rating,
        ranked.vote_count,
        ranked.weighted_rating,
        ranked.popularity_score,
        ranked.budget,
        ranked.revenue,
        ranked.profit,
        ranked.roi,
        ranked.sentiment_score,
        audience.audience_sentiment,
        ranked.weighted_rating_percentile_in_genre,
        ranked.weighted_rating_percentile_in_year,
        ranked.revenue_percentile_in_genre,
        ranked.revenue_percentile_in_year,
        ranked.roi_percentile_in_genre,
        ranked.roi_percentile_in_year,
        cast(as_of.as_of_at as date) as computed_date,
        coalesce(ranked.release_date <= cast(as_of.as_of_at as date), false) as is_released,
        coalesce(audience.review_count, 0) as review_count
    from ranked
    left join audience
        on ranked.movie_id = audience.movie_id
    cross join as_of

)

select * from movie_performance
