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

genres as (

    {{ latest_names('new_observations', 'genres', 'genre') }}

)

select * from genres
