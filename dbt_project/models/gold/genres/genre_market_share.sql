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

-- as decimals, so that the sums do not depend on the order of rows
split_movies as (

    select
        genre_id,
        release_year,
        revenue,
        cast(1d / genre_count as decimal(28, 18)) as movie_part,
        cast(cast(revenue as double) / genre_count as decimal(28, 8)) as revenue_part
    from genre_movies

),

genre_years as (

    select
        genre_id,
        release_year,
        cast(sum(movie_part) as double) as split_movies,
        cast(sum(revenue_part) as double) as split_revenue,
        cast(sum(sum(movie_part)) over (partition by release_year) as double) as movies_of_year,
        cast(sum(sum(revenue_part)) over (partition by release_year) as double) as revenue_of_year,
        count(*) as total_movies,
        count(revenue) as revenue_movies
    from split_movies
    group by genre_id, release_year

),

shares as (

    select
        *,
        split_movies / movies_of_year as movie_share,
        split_revenue / nullif(revenue_of_year, 0) as revenue_share
    from genre_years

),

years as (

    select distinct release_year from genre_years

),

genre_market_share as (

    select
        shares.genre_id,
        genres.genre_name,
        shares.release_year,
        shares.total_movies,
        shares.split_movies,
        shares.movie_share,
        shares.revenue_movies,
        shares.split_revenue,
        shares.revenue_share,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws('-', shares.genre_id, shares.release_year) as genre_market_share_id,
        -- a genre without a movie in the year before had a share of 0, unless nothing came out at all
        case
            when years_before.release_year is not null
                then shares.movie_share - coalesce(shares_before.movie_share, 0)
        end as movie_share_change,
        -- thirds and halves that sum to the same may differ in the last bit
        row_number() over (
            partition by shares.release_year
            order by round(shares.split_movies, 9) desc, shares.genre_id asc
        ) as movie_share_rank
    from shares
    left join shares as shares_before
        on
            shares.genre_id = shares_before.genre_id
            and shares.release_year = shares_before.release_year + 1
    left join years as years_before
        on shares.release_year = years_before.release_year + 1
    left join genres
        on shares.genre_id = genres.genre_id
    cross join as_of

)

select * from genre_market_share
