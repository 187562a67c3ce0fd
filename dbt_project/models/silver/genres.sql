{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='genre_id',
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

genres_listed as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        genre.genre_id,
        genre.genre_name
    from new_observations
        lateral view explode(new_observations.genres) as genre

),

names_said as (

    select
        genre_id,
        -- a list page names no genre: the id is noted, the name stays as it was
        case
            when genre_name is not null then struct(observed_at, payload_sha256, genre_name as value)
        end as name_said
    from genres_listed

    {% if is_incremental() %}
    union all

    select
        genre_id,
        name_said
    from {{ this }}
    {% endif %}

),

genres as (

    select
        genre_id,
        max(name_said).value as genre_name,
        max(name_said) as name_said
    from names_said
    group by genre_id

)

select * from genres
