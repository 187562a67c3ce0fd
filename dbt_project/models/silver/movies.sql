{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_id',
        liquid_clustered_by=['release_year', 'primary_genre'],
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

new_movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

new_movie_genres as (

    select * from {{ new_rows(ref('movie_genres')) }}

),

movie_genres as (

    select * from {{ all_rows(ref('movie_genres')) }}

),

{% if is_incremental() %}
all_movie_records as (

    select * from {{ all_rows(ref('movie_records')) }}

),

{% endif %}

movie_records as (

    select * from new_movie_records

    {% if is_incremental() %}
    union all

    -- movies of which nothing is new but the name of a genre
    select all_movie_records.*
    from all_movie_records
    left semi join new_movie_genres
        on all_movie_records.movie_id = new_movie_genres.movie_id
    left anti join new_movie_records
        on all_movie_records.movie_id = new_movie_records.movie_id
    {% endif %}

),

genres_per_movie as (

    select
        movie_genres.movie_id,
        transform(
            array_sort(collect_list(struct(movie_genres.position, movie_genres.genre_name))),
            genre -> genre.genre_name
        ) as genres
    from movie_genres
    left semi join movie_records
        on movie_genres.movie_id = movie_records.movie_id
    where movie_genres.genre_name is not null
    group by movie_genres.movie_id

),

last_values as (

    select
        movie_records.movie_id,
        movie_records.title.value as title,
        movie_records.overview.value as overview,
        movie_records.release_date.value as release_date,
        movie_records.popularity.value as popularity_score,
        movie_records.original_language.value as original_language,
        movie_records.status.value as status,
        movie_records.observed_at,
        movie_records.ingested_at as processing_timestamp,
        coalesce(genres_per_movie.genres, array()) as genres,
        -- zero means unknown; a rating without a vote is no rating
        case when movie_records.runtime.value > 0 then cast(movie_records.runtime.value as int) end as runtime,
        case when movie_records.budget.value > 0 then movie_records.budget.value end as budget,
        case when movie_records.revenue.value > 0 then movie_records.revenue.value end as revenue,
        case when movie_records.vote_count.value > 0 then movie_records.vote_count.value end as vote_count,
        case
            when movie_records.vote_count.value is null or movie_records.vote_count.value > 0
                then nullif(movie_records.rating.value, 0)
        end as rating,
        -- (order, id, name), least first: the same whatever order the list came in
        array_sort(
            transform(
                coalesce(movie_records.cast_credits.value, array()),
                credit -> struct(
                    coalesce(credit.billing_order, 2147483647) as billing_order,
                    coalesce(credit.credit_id, '') as credit_id,
                    credit.person_id,
                    credit.person_name
                )
            )
        ) as cast_by_order,
        array_sort(
            transform(
                filter(coalesce(movie_records.crew_credits.value, array()), credit -> credit.job = 'Director'),
                credit -> struct(
                    coalesce(credit.credit_id, '') as credit_id,
                    credit.person_id,
                    credit.person_name
                )
            )
        ) as directors_by_credit
    from movie_records
    left join genres_per_movie
        on movie_records.movie_id = genres_per_movie.movie_id

),

people_named as (

    select
        *,
        array_compact(
            transform(
                slice(
                    -- an actor with two roles stands once, at the first of them
                    filter(
                        cast_by_order,
                        (credit, index) -> index = 0
                        or not array_contains(
                            transform(slice(cast_by_order, 1, index), earlier -> earlier.person_id), credit.person_id
                        )
                    ),
                    1,
                    5
                ),
                credit -> credit.person_name
            )
        ) as top_cast,
        array_compact(
            transform(
                -- each person once, by id: two directors may share a name
                filter(
                    directors_by_credit,
                    (credit, index) -> index = 0
                    or not array_contains(
                        transform(slice(directors_by_credit, 1, index), earlier -> earlier.person_id), credit.person_id
                    )
                ),
                credit -> credit.person_name
            )
        ) as directors
    from last_values

),

scored as (

    select
        *,
        vader_compound(overview) as sentiment_score
    from people_named

),

derived as (

    select
        *,
        clean_title(title) as clean_title,
        year(release_date) as release_year,
        month(release_date) as release_month,
        get(genres, 0) as primary_genre,
        get(directors, 0) as director,
        revenue - budget as profit,
        (revenue - budget) / budget as roi,
        vader_category(sentiment_score) as sentiment_category
    from scored

),

movies as (

    select
        movie_id,
        title,
        clean_title,
        overview,
        release_date,
        release_year,
        release_month,
        genres,
        primary_genre,
        rating,
        vote_count,
        popularity_score,
        revenue,
        budget,
        profit,
        roi,
        runtime,
        sentiment_score,
        sentiment_category,
        director,
        directors,
        top_cast,
        original_language,
        status,
        observed_at,
        processing_timestamp
    from derived

)

select * from movies
