{% set window_days = [7, 30, 90] %}

with

movie_observations as (

    select * from {{ ref('movie_observations') }}

),

movies as (

    select * from {{ ref('movies') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

mean_of_all_movies as (

    select {{ exact_avg('rating') }} as mean_rating from movies

),

windows as (

    select explode(array({{ window_days | join(', ') }})) as window_days

),

-- of two observations of one moment, the one that the Silver fold takes
observed_popularity as (

    select
        movie_observations.movie_id,
        movie_observations.observed_at,
        max_by(movie_observations.popularity, movie_observations.payload_sha256) as popularity,
        max_by(
            {{ weighted_rating(
                'movie_observations.rating', 'movie_observations.vote_count', 'mean_of_all_movies.mean_rating'
            ) }},
            movie_observations.payload_sha256
        ) as weighted_rating
    from movie_observations
    cross join mean_of_all_movies
    cross join as_of
    where
        movie_observations.popularity is not null
        and movie_observations.observed_at <= as_of.as_of_at
        and movie_observations.observed_at > as_of.as_of_at - interval {{ window_days | max }} days
    group by movie_observations.movie_id, movie_observations.observed_at

),

-- days before the as-of time and ln(1 + popularity), as decimals so that their sums do not depend on the order of rows
points as (

    select
        observed_popularity.movie_id,
        windows.window_days,
        observed_popularity.observed_at,
        observed_popularity.popularity,
        observed_popularity.weighted_rating,
        cast(
            (unix_micros(observed_popularity.observed_at) - unix_micros(as_of.as_of_at)) / 86400000000 as decimal(12, 8)
        ) as observed_day,
        cast(ln(1 + observed_popularity.popularity) as decimal(12, 10)) as log_popularity
    from observed_popularity
    cross join windows
    cross join as_of
    where observed_popularity.observed_at > as_of.as_of_at - make_interval(0, 0, 0, windows.window_days)

),

window_sums as (

    select
        movie_id,
        window_days,
        cast(sum(observed_day) as double) as sum_days,
        cast(sum(log_popularity) as double) as sum_logs,
        cast(sum(cast(observed_day * log_popularity as decimal(24, 14))) as double) as sum_products,
        cast(sum(cast(observed_day * observed_day as decimal(24, 14))) as double) as sum_squares,
        count(*) as observations,
        min_by(popularity, observed_at) as first_popularity,
        max_by(popularity, observed_at) as last_popularity,
        min_by(weighted_rating, observed_at) filter (where weighted_rating is not null) as first_weighted_rating,
        max_by(weighted_rating, observed_at) filter (where weighted_rating is not null) as last_weighted_rating
    from points
    group by movie_id, window_days
    having count(*) >= 2

),

measures as (

    select
        movie_id,
        window_days,
        observations,
        last_popularity,
        -- the least-squares slope: (n Sxy - Sx Sy) / (n Sxx - Sx^2)
        round(
            (observations * sum_products - sum_days * sum_logs) / (observations * sum_squares - sum_days * sum_days), 8
        ) as velocity,
        round(last_popularity / nullif(first_popularity, 0) - 1, 8) as popularity_change,
        round(last_weighted_rating - first_weighted_rating, 6) as rating_momentum
    from window_sums

),

-- what is not known to have changed ranks as unchanged
percentiles as (

    select
        *,
        percent_rank() over (partition by window_days order by coalesce(velocity, 0)) as velocity_percentile,
        percent_rank() over (partition by window_days order by coalesce(popularity_change, 0)) as popularity_percentile,
        percent_rank() over (partition by window_days order by coalesce(rating_momentum, 0)) as rating_percentile
    from measures

),

trending_scores as (

    select
        percentiles.movie_id,
        movies.title,
        percentiles.velocity,
        percentiles.popularity_change,
        percentiles.rating_momentum,
        percentiles.observations,
        percentiles.last_popularity,
        cast(as_of.as_of_at as date) as computed_date,
        concat(percentiles.movie_id, '-', percentiles.window_days, 'd') as trending_score_id,
        concat(percentiles.window_days, 'd') as trend_window,
        round(
            100 * (
                0.5d * percentiles.velocity_percentile
                + 0.3d * percentiles.popularity_percentile
                + 0.2d * percentiles.rating_percentile
            ),
            4
        ) as trend_score
    from percentiles
    cross join as_of
    left join movies
        on percentiles.movie_id = movies.movie_id

)

select * from trending_scores
