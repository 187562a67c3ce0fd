{#
    Sums that several marts hold in different cuts are the same in all of them, and shares sum to 1. Fails with a row for each
    that differs: what it is, what it should be, and what was found.
#}
{% set sums = [
    ('released_movies', 'total_movies', 'yoy_growth', 'total_movies'),
    ('released_movies', 'total_movies', 'release_seasonality', 'total_movies'),
    ('released_movies', 'total_movies', 'box_office_trends', 'total_movies'),
    ('released_movies', 'total_movies', 'industry_indicators', 'total_movies'),
    ('released_movies', 'total_revenue', 'yoy_growth', 'total_revenue'),
    ('released_movies', 'total_revenue', 'release_seasonality', 'total_revenue'),
    ('released_movies', 'total_revenue', 'box_office_trends', 'total_revenue'),
    ('movies_by_genre', 'total_movies', 'genre_analytics', 'total_movies'),
    ('movies_by_genre', 'total_movies', 'genre_trends', 'total_movies'),
    ('movies_by_genre', 'total_movies', 'genre_seasonality', 'total_movies'),
    ('movies_by_genre', 'total_movies', 'genre_market_share', 'total_movies'),
    ('movies_by_genre', 'rated_movies', 'genre_analytics', 'rated_movies'),
    ('movies_by_genre', 'rated_movies', 'genre_trends', 'rated_movies'),
    ('movies_by_genre', 'total_revenue', 'genre_analytics', 'total_revenue'),
    ('movies_by_genre', 'total_revenue', 'genre_trends', 'total_revenue'),
    ('pairs_in_silver', 'total_movies', 'genre_trends', 'total_movies'),
] %}
{% set shares = [
    ('genre_market_share', 'movie_share', 'release_year'),
    ('genre_market_share', 'revenue_share', 'release_year'),
    ('genre_seasonality', 'share_of_genre', 'genre_id'),
    ('release_seasonality', 'share_of_movies', 'computed_date'),
    ('release_seasonality', 'share_of_revenue', 'computed_date'),
] %}

with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

released_movies as (

    select
        count(*) as total_movies,
        sum(revenue) as total_revenue
    from movie_performance
    where is_released

),

movies_by_genre as (

    select
        count(*) as total_movies,
        count(rating) as rated_movies,
        sum(revenue) as total_revenue
    from {{ ref('genre_movies') }}

),

all_movies as (

    select count(*) as total_movies from {{ ref('movies') }}

),

performances as (

    select count(*) as total_movies from movie_performance

),

pairs_in_silver as (

    select count(*) as total_movies
    from {{ ref('movie_genres') }} as movie_genres
    inner join movie_performance
        on movie_genres.movie_id = movie_performance.movie_id
    where movie_performance.is_released

),

sums as (

    {% for source, expected, mart, found in sums %}
    {{ 'union all' if not loop.first }}

    select
        '{{ mart }}.{{ found }} against {{ source }}' as what,
        cast(max({{ source }}.{{ expected }}) as double) as expected_sum,
        cast(sum({{ mart }}.{{ found }}) as double) as found_sum
    from {{ source }}
    left join {{ ref(mart) }} as {{ mart }}
        on true
    {% endfor %}

    union all

    select
        'movie_performance against movies' as what,
        cast(all_movies.total_movies as double) as expected_sum,
        cast(performances.total_movies as double) as found_sum
    from all_movies
    cross join performances

    {% for mart, share, whole in shares %}
    union all

    select
        concat('{{ mart }}.{{ share }} of {{ whole }} ', {{ whole }}) as what,
        1d as expected_sum,
        coalesce(sum({{ share }}), 1) as found_sum
    from {{ ref(mart) }}
    group by {{ whole }}
    {% endfor %}

    union all

    select
        concat('performance_correlations.movies of all decades, ', measures) as what,
        cast(sum(case when scope = 'overall' then movies end) as double) as expected_sum,
        cast(sum(case when scope = 'decade' then movies end) as double) as found_sum
    from {{ ref('performance_correlations') }}
    group by measures

)

select * from sums
where abs(coalesce(found_sum, 0) - coalesce(expected_sum, 0)) > 1e-9 * greatest(abs(coalesce(expected_sum, 0)), 1)
