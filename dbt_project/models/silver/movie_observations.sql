{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='observation_id',
        merge_insert_only=true,
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

movie_observations as (

    select
        observation_id,
        movie_id,
        observed_at,
        payload_sha256,
        popularity,
        ingested_at,
        -- zero means unknown; a rating without a vote is no rating
        case when vote_count is null or vote_count > 0 then nullif(rating, 0) end as rating,
        case when vote_count > 0 then vote_count end as vote_count,
        case when revenue > 0 then revenue end as revenue
    from new_observations

)

select * from movie_observations
