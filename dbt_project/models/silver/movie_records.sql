{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_id',
        tblproperties={'delta.enableChangeDataFeed': 'true'},
        post_hook="{{ remember_read_versions() }}"
    )
}}

{#
    The fold that makes a Silver row a pure function of all observations of its movie: each field is the greatest
    (observed_at, payload_sha256, value) among the observations that carry the field. A greatest value is the same in any
    order and however often a row is seen, so batches may come late, re-ordered, split or twice; and the stored row stands
    for all observations before, so Bronze is never read again.
#}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

fields_said as (

    select
        movie_id,
        observed_at,
        ingested_at,
        {{ for_each_movie_field(
            'case when has_FIELD then struct(observed_at, payload_sha256, FIELD as value) end as FIELD'
        ) }}
    from new_observations

    {% if is_incremental() %}
    union all

    select
        previous.movie_id,
        previous.observed_at,
        previous.ingested_at,
        {{ for_each_movie_field('previous.FIELD') }}
    from {{ this }} as previous
    left semi join new_observations
        on previous.movie_id = new_observations.movie_id
    {% endif %}

),

last_said as (

    select
        movie_id,
        max(observed_at) as observed_at,
        max(ingested_at) as ingested_at,
        {{ for_each_movie_field('max(FIELD) as FIELD') }}
    from fields_said
    group by movie_id

)

select * from last_said
