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

genre_measures as (

    select
        genre_id,
        count(*) as total_movies,
        {{ exact_avg('rating') }} as avg_rating,
        {{ exact_avg('revenue') }} as avg_revenue
    from genre_movies
    group by genre_id

),

pair_measures as (

    select
        genre_movies.genre_id,
        other_genres.genre_id as other_genre_id,
        count(*) as total_movies,
        count(genre_movies.rating) as rated_movies,
        {{ exact_avg('genre_movies.rating') }} as avg_rating,
        count(genre_movies.revenue) as revenue_movies,
        {{ exact_avg('genre_movies.revenue') }} as avg_revenue,
        percentile(genre_movies.revenue, 0.5) as median_revenue,
        count(genre_movies.roi) as roi_movies,
        percentile(genre_movies.roi, 0.5) as median_roi
    from genre_movies
    inner join genre_movies as other_genres
        on
            genre_movies.movie_id = other_genres.movie_id
            and genre_movies.genre_id != other_genres.genre_id
    group by genre_movies.genre_id, other_genres.genre_id

),

cross_genre_performance as (

    select
        pair_measures.genre_id,
        genres.genre_name,
        pair_measures.other_genre_id,
        other_genres.genre_name as other_genre_name,
        pair_measures.total_movies,
        pair_measures.rated_movies,
        pair_measures.avg_rating,
        pair_measures.revenue_movies,
        pair_measures.avg_revenue,
        pair_measures.median_revenue,
        pair_measures.roi_movies,
        pair_measures.median_roi,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws('-', pair_measures.genre_id, pair_measures.other_genre_id) as cross_genre_performance_id,
        pair_measures.total_movies / genre_measures.total_movies as share_of_genre,
        pair_measures.avg_rating - genre_measures.avg_rating as rating_difference,
        pair_measures.avg_revenue / genre_measures.avg_revenue as revenue_ratio
    from pair_measures
    inner join genre_measures
        on pair_measures.genre_id = genre_measures.genre_id
    left join genres
        on pair_measures.genre_id = genres.genre_id
    left join genres as other_genres
        on pair_measures.other_genre_id = other_genres.genre_id
    cross join as_of

)

select * from cross_genre_performance
