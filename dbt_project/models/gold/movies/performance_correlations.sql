with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

genre_movies as (

    select * from {{ ref('genre_movies') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

scoped_movies as (

    select
        'overall' as scope,
        cast(null as bigint) as genre_id,
        cast(null as string) as genre_name,
        cast(null as int) as decade,
        budget,
        revenue,
        rating,
        sentiment_score,
        popularity_score
    from movie_performance
    where is_released

    union all

    select
        'genre' as scope,
        genre_id,
        genre_name,
        cast(null as int) as decade,
        budget,
        revenue,
        rating,
        sentiment_score,
        popularity_score
    from genre_movies

    union all

    select
        'decade' as scope,
        cast(null as bigint) as genre_id,
        cast(null as string) as genre_name,
        cast(release_year - release_year % 10 as int) as decade,
        budget,
        revenue,
        rating,
        sentiment_score,
        popularity_score
    from movie_performance
    where is_released

),

measure_pairs as (

    select
        scope,
        genre_id,
        genre_name,
        decade,
        stack(
            4,
            'budget_revenue', cast(budget as double), cast(revenue as double),
            'rating_revenue', rating, cast(revenue as double),
            'sentiment_rating', sentiment_score, rating,
            'popularity_rating', popularity_score, rating
        ) as (measures, x, y)
    from scoped_movies

),

known_pairs as (

    select * from measure_pairs
    where x is not null and y is not null

),

-- for Pearson whole numbers from 0 to 10^9, for Spearman twice the mean rank of equal values: whole, too
ranked_pairs as (

    select
        scope,
        genre_id,
        genre_name,
        decade,
        measures,
        round(
            1000000000 * (x - min(x) over all_of_group) / nullif(max(x) over all_of_group - min(x) over all_of_group, 0)
        )
            as scaled_x,
        round(
            1000000000 * (y - min(y) over all_of_group) / nullif(max(y) over all_of_group - min(y) over all_of_group, 0)
        )
            as scaled_y,
        2 * rank() over by_x + count(*) over equal_x - 1 as double_rank_x,
        2 * rank() over by_y + count(*) over equal_y - 1 as double_rank_y
    from known_pairs
    window
        all_of_group as (partition by measures, scope, genre_id, decade),
        by_x as (partition by measures, scope, genre_id, decade order by x),
        by_y as (partition by measures, scope, genre_id, decade order by y),
        equal_x as (partition by measures, scope, genre_id, decade, x),
        equal_y as (partition by measures, scope, genre_id, decade, y)

),

coefficients as (

    select
        measures,
        scope,
        genre_id,
        genre_name,
        decade,
        count(*) as movies,
        {{ correlation('scaled_x', 'scaled_y') }} as pearson,
        {{ correlation('double_rank_x', 'double_rank_y') }} as spearman
    from ranked_pairs
    group by measures, scope, genre_id, genre_name, decade

),

performance_correlations as (

    select
        coefficients.measures,
        coefficients.scope,
        coefficients.genre_id,
        coefficients.genre_name,
        coefficients.decade,
        coefficients.movies,
        coefficients.pearson,
        coefficients.spearman,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws(
            '-', coefficients.measures, coefficients.scope, coalesce(coefficients.genre_id, coefficients.decade)
        ) as performance_correlation_id
    from coefficients
    cross join as_of

)

select * from performance_correlations
