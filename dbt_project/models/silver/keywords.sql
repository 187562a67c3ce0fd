{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='keyword_id',
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

keywords_listed as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        keyword.keyword_id,
        keyword.keyword_name
    from new_observations
        lateral view explode(new_observations.keywords) as keyword

),

names_said as (

    select
        keyword_id,
        -- a record may name no keyword: the id is noted, the name stays as it was
        case
            when keyword_name is not null then struct(observed_at, payload_sha256, keyword_name as value)
        end as name_said
    from keywords_listed

    {% if is_incremental() %}
    union all

    select
        previous.keyword_id,
        previous.name_said
    from {{ this }} as previous
    left semi join keywords_listed
        on previous.keyword_id = keywords_listed.keyword_id
    {% endif %}

),

keywords as (

    select
        keyword_id,
        max(name_said).value as keyword_name,
        max(name_said) as name_said
    from names_said
    group by keyword_id

)

select * from keywords
