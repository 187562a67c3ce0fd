{#
    Sums that several marts hold in different cuts are the same in all of them, and shares sum to 1. Fails with a row for each
    that differs: the rule, what it should be, and what it is.
#}
with

released as (

    select
        count_if(is_released) as movies,
        sum(revenue) filter (where is_released) as revenue,
        count(*) as all_movies
    from {{ ref('movie_performance') }}

),

by_genre as (

    select
        count(*) as movies,
        count(distinct movie_id) as different_movies,
        sum(revenue) as revenue,
        count(rating) as rated
    from {{ ref('genre_movies') }}

),

released_with_genre as (

    select
        count(*) as pairs,
        count(distinct movie_performance.movie_id) as movies
    from {{ ref('movie_performance') }} as movie_performance
    inner join {{ ref('movie_genres') }} as movie_genres
        on movie_performance.movie_id = movie_genres.movie_id
    where movie_performance.is_released

),

pairs_of_sums as (

    select
        'movie_performance: as many movies as movies' as rule,
        cast((select count(*) from {{ ref('movies') }}) as double) as expected,
        cast(all_movies as double) as found
    from released

    union all

    select
        'genre_movies: as many rows as released movies have genres' as rule,
        cast((select pairs from released_with_genre) as double) as expected,
        cast(movies as double) as found
    from by_genre

    union all

    select
        'genre_movies: as many movies as released movies with a genre' as rule,
        cast((select movies from released_with_genre) as double) as expected,
        cast(different_movies as double) as found
    from by_genre

    {%- for mart in ('yoy_growth', 'release_seasonality', 'box_office_trends') %}

    union all

    select
        '{{ mart }}: movies' as rule,
        cast((select movies from released) as double) as expected,
        cast(coalesce(sum(total_movies), 0) as double) as found
    from {{ ref(mart) }}

    union all

    select
        '{{ mart }}: revenue' as rule,
        cast((select revenue from released) as double) as expected,
        cast(sum(total_revenue) as double) as found
    from {{ ref(mart) }}
    {%- endfor %}

    union all

    select
        'industry_indicators: movies' as rule,
        cast((select movies from released) as double) as expected,
        cast(coalesce(sum(total_movies), 0) as double) as found
    from {{ ref('industry_indicators') }}

    {%- for mart in ('genre_analytics', 'genre_trends') %}

    union all

    select
        '{{ mart }}: movies' as rule,
        cast((select movies from by_genre) as double) as expected,
        cast(coalesce(sum(total_movies), 0) as double) as found
    from {{ ref(mart) }}

    union all

    select
        '{{ mart }}: revenue' as rule,
        cast((select revenue from by_genre) as double) as expected,
        cast(sum(total_revenue) as double) as found
    from {{ ref(mart) }}

    union all

    select
        '{{ mart }}: rated movies' as rule,
        cast((select rated from by_genre) as double) as expected,
        cast(coalesce(sum(rated_movies), 0) as double) as found
    from {{ ref(mart) }}
    {%- endfor %}

    {%- for mart in ('genre_seasonality', 'genre_market_share') %}

    union all

    select
        '{{ mart }}: movies' as rule,
        cast((select movies from by_genre) as double) as expected,
        cast(coalesce(sum(total_movies), 0) as double) as found
    from {{ ref(mart) }}
    {%- endfor %}

    union all

    select
        'genre_market_share: shares of movies of ' || release_year as rule,
        1d as expected,
        sum(movie_share) as found
    from {{ ref('genre_market_share') }}
    group by release_year

    union all

    select
        'genre_market_share: shares of revenue of ' || release_year as rule,
        1d as expected,
        coalesce(sum(revenue_share), 1) as found
    from {{ ref('genre_market_share') }}
    group by release_year

    union all

    select
        'genre_seasonality: shares of genre ' || genre_id as rule,
        1d as expected,
        sum(share_of_genre) as found
    from {{ ref('genre_seasonality') }}
    group by genre_id

    union all

    select
        'release_seasonality: shares' as rule,
        1d as expected,
        coalesce(sum(share_of_movies), 1) as found
    from {{ ref('release_seasonality') }}

    union all

    select
        'performance_correlations: movies of all decades' as rule,
        cast(sum(movies) filter (where scope = 'overall') as double) as expected,
        cast(sum(movies) filter (where scope = 'decade') as double) as found
    from {{ ref('performance_correlations') }}
    group by measures

)

select * from pairs_of_sums
where not (abs(coalesce(found, 0) - coalesce(expected, 0)) <= 1e-9 * greatest(abs(coalesce(expected, 0)), 1))
