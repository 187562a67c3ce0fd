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

window_starts as (

    select
        cast(as_of_at as date) as computed_date,
        add_months(cast(as_of_at as date), -12 * {{ var('pair_window_years') }}) as recent_from,
        add_months(cast(as_of_at as date), -24 * {{ var('pair_window_years') }}) as earlier_from
    from as_of

),

windowed_movies as (

    select
        movie_performance.movie_id,
        movie_performance.release_date > window_starts.recent_from as is_recent
    from movie_performance
    cross join window_starts
    where
        movie_performance.is_released
        and movie_performance.release_date > window_starts.earlier_from

),

movies_per_window as (

    select
        count_if(is_recent) as recent_movies,
        count_if(not is_recent) as earlier_movies
    from windowed_movies

),

genres_of_windowed_movies as (

    select
        genre_movies.genre_id,
        genre_movies.movie_id,
        genre_movies.rating,
        genre_movies.revenue,
        windowed_movies.is_recent
    from genre_movies
    inner join windowed_movies
        on genre_movies.movie_id = windowed_movies.movie_id

),

recent_movies_per_genre as (

    select
        genre_id,
        count_if(is_recent) as recent_movies
    from genres_of_windowed_movies
    group by genre_id

),

pairs as (

    select
        genres_a.genre_id as genre_id_a,
        genres_b.genre_id as genre_id_b,
        count_if(genres_a.is_recent) as recent_movies,
        count_if(not genres_a.is_recent) as earlier_movies,
        count(case when genres_a.is_recent then genres_a.rating end) as rated_movies,
        {{ exact_avg('case when genres_a.is_recent then genres_a.rating end') }} as avg_rating,
        count(case when genres_a.is_recent then genres_a.revenue end) as revenue_movies,
        {{ exact_avg('case when genres_a.is_recent then genres_a.revenue end') }} as avg_revenue
    from genres_of_windowed_movies as genres_a
    inner join genres_of_windowed_movies as genres_b
        on
            genres_a.movie_id = genres_b.movie_id
            and genres_a.genre_id < genres_b.genre_id
    group by genres_a.genre_id, genres_b.genre_id
    having count_if(genres_a.is_recent) >= {{ var('pair_minimum_movies') }}

),

shares as (

    select
        pairs.*,
        pairs.recent_movies / movies_per_window.recent_movies as recent_share,
        pairs.earlier_movies / nullif(movies_per_window.earlier_movies, 0) as earlier_share,
        (pairs.recent_movies * movies_per_window.recent_movies)
        / (genre_a.recent_movies * genre_b.recent_movies) as lift
    from pairs
    inner join recent_movies_per_genre as genre_a
        on pairs.genre_id_a = genre_a.genre_id
    inner join recent_movies_per_genre as genre_b
        on pairs.genre_id_b = genre_b.genre_id
    cross join movies_per_window

),

changes as (

    select
        *,
        recent_share - earlier_share as share_change,
        recent_share / nullif(earlier_share, 0) - 1 as growth
    from shares

),

emerging_genre_pairs as (

    select
        changes.genre_id_a,
        names_a.genre_name as genre_name_a,
        changes.genre_id_b,
        names_b.genre_name as genre_name_b,
        changes.recent_movies,
        changes.earlier_movies,
        changes.recent_share,
        changes.earlier_share,
        changes.share_change,
        changes.growth,
        changes.lift,
        changes.rated_movies,
        changes.avg_rating,
        changes.revenue_movies,
        changes.avg_revenue,
        window_starts.computed_date,
        concat_ws('-', changes.genre_id_a, changes.genre_id_b) as emerging_genre_pair_id,
        coalesce(changes.share_change > 0, false) as is_emerging,
        row_number() over (
            order by
                changes.share_change desc nulls last,
                changes.recent_movies desc,
                changes.genre_id_a asc,
                changes.genre_id_b asc
        ) as emerging_rank
    from changes
    left join genres as names_a
        on changes.genre_id_a = names_a.genre_id
    left join genres as names_b
        on changes.genre_id_b = names_b.genre_id
    cross join window_starts

)

select * from emerging_genre_pairs
