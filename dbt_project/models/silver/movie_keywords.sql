{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_keyword_id',
        merge_tombstones=true,
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

keywords_listed as (

    select
        movie_records.movie_id,
        keyword.keyword_id,
        list_index
    from movie_records
        lateral view posexplode(movie_records.keywords.value) as list_index, keyword

),

movie_keywords as (

    select
        movie_id,
        keyword_id,
        concat(movie_id, '-', keyword_id) as movie_keyword_id,
        min(list_index) as position
    from keywords_listed
    group by movie_id, keyword_id

),

merge_rows as (

    {{ with_removed('movie_keywords', 'movie_records', ['movie_keyword_id', 'movie_id', 'keyword_id', 'position']) }}

)

select * from merge_rows
