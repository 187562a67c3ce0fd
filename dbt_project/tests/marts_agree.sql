{#
    Sums that several marts hold in different cuts are the same in all of them, and shares sum to 1. Each mart is read once.
    Fails with a row for each sum that differs: what it is, what it should be, and what was found.
#}
{% set sums_of_marts = {
    'yoy_growth': {'total_movies': 'released_movies', 'total_revenue': 'released_revenue'},
    'release_seasonality': {
        'total_movies': 'released_movies', 'total_revenue': 'released_revenue', 'share_of_movies': 'whole'
    },
    'box_office_trends': {'total_movies': 'released_movies', 'total_revenue': 'released_revenue'},
    'industry_indicators': {'total_movies': 'released_movies', 'genre_movies': 'released_movies_with_genre'},
    'genre_analytics': {
        'total_movies': 'genre_movies', 'rated_movies': 'rated_genre_movies', 'total_revenue': 'genre_revenue'
    },
    'genre_trends': {
        'total_movies': 'genre_movies', 'rated_movies': 'rated_genre_movies', 'total_revenue': 'genre_revenue'
    },
    'genre_seasonality': {'total_movies': 'genre_movies', 'share_of_genre': 'genres'},
    'genre_market_share': {'total_movies': 'genre_movies'},
} %}

with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

movies as (

    select count(*) as all_movies from {{ ref('movies') }}

),

genre_pairs as (

    select
        count(*) as released_pairs,
        count(distinct movie_genres.movie_id) as released_movies_with_genre
    from {{ ref('movie_genres') }} as movie_genres
    inner join movie_performance
        on movie_genres.movie_id = movie_performance.movie_id
    where movie_performance.is_released

),

released as (

    select
        count(*) as performances,
        count_if(is_released) as released_movies,
        sum(case when is_released then revenue end) as released_revenue
    from movie_performance

),

by_genre as (

    select
        count(*) as genre_movies,
        count(rating) as rated_genre_movies,
        sum(revenue) as genre_revenue,
        count(distinct genre_id) as genres
    from {{ ref('genre_movies') }}

),

totals as (

    select
        movies.*,
        genre_pairs.*,
        released.*,
        by_genre.*,
        case when released.released_movies > 0 then 1 end as whole
    from movies
    cross join genre_pairs
    cross join released
    cross join by_genre

),

compared as (

    select
        stack(
            2,
            'movie_performance against movies', cast(all_movies as double), cast(performances as double),
            'genre_movies against movie_genres', cast(released_pairs as double), cast(genre_movies as double)
        ) as (what, expected_sum, found_sum)
    from totals

    {% for mart, sums in sums_of_marts.items() %}
    union all

    select
        stack(
            {{ sums | length }}
            {%- for column, total in sums.items() %},
            '{{ mart }}.{{ column }}',
            cast(max(totals.{{ total }}) as double),
            cast(sum({{ mart }}.{{ column }}) as double)
            {%- endfor %}
        ) as (what, expected_sum, found_sum)
    from totals
    left join {{ ref(mart) }} as {{ mart }}
        on true
    {% endfor %}

    union all

    select
        stack(
            2,
            concat('genre_market_share.movie_share of ', release_year), 1d, sum(movie_share),
            concat('genre_market_share.revenue_share of ', release_year), 1d, coalesce(sum(revenue_share), 1)
        ) as (what, expected_sum, found_sum)
    from {{ ref('genre_market_share') }}
    group by release_year

    union all

    select
        concat('performance_correlations.movies of all decades, ', measures) as what,
        cast(sum(case when scope = 'overall' then movies end) as double) as expected_sum,
        cast(sum(case when scope = 'decade' then movies end) as double) as found_sum
    from {{ ref('performance_correlations') }}
    group by measures

)

select * from compared
where abs(coalesce(found_sum, 0) - coalesce(expected_sum, 0)) > 1e-9 * greatest(abs(coalesce(expected_sum, 0)), 1)
