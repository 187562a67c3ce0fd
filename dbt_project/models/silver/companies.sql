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

companies as (

    {{ latest_names('new_observations', 'production_companies', 'company') }}

)

select * from companies
