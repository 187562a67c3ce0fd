{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='company_id',
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

new_observations as (

    select * from {{ new_rows(ref('stg_tmdb__observations')) }}

),

companies_listed as (

    select
        new_observations.observed_at,
        new_observations.payload_sha256,
        company.company_id,
        company.company_name
    from new_observations
        lateral view explode(new_observations.production_companies) as company

),

names_said as (

    select
        company_id,
        -- a record may name no company: the id is noted, the name stays as it was
        case
            when company_name is not null then struct(observed_at, payload_sha256, company_name as value)
        end as name_said
    from companies_listed

    {% if is_incremental() %}
    union all

    select
        previous.company_id,
        previous.name_said
    from {{ this }} as previous
    left semi join companies_listed
        on previous.company_id = companies_listed.company_id
    {% endif %}

),

companies as (

    select
        company_id,
        max(name_said).value as company_name,
        max(name_said) as name_said
    from names_said
    group by company_id

)

select * from companies
