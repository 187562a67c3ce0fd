{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_company_id',
        merge_tombstones=true,
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

companies_listed as (

    select
        movie_records.movie_id,
        company.company_id,
        list_index
    from movie_records
        lateral view posexplode(movie_records.production_companies.value) as list_index, company

),

movie_companies as (

    select
        movie_id,
        company_id,
        concat(movie_id, '-', company_id) as movie_company_id,
        min(list_index) as position
    from companies_listed
    group by movie_id, company_id

),

merge_rows as (

    {{ with_removed('movie_companies', 'movie_records', ['movie_company_id', 'movie_id', 'company_id', 'position']) }}

)

select * from merge_rows
