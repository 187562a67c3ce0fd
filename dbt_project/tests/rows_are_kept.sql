{#
    Where a join must neither lose rows nor multiply them, both sides have as many. Fails with a row for each that differs.
#}
with

row_counts as (

    select
        'movies against movie_records' as rule,
        (select count(*) from {{ ref('movies') }}) as found_rows,
        (select count(*) from {{ ref('movie_records') }}) as expected_rows

    union all

    select
        'movie_observations against stg_tmdb__observations' as rule,
        (select count(*) from {{ ref('movie_observations') }}) as found_rows,
        (select count(*) from {{ ref('stg_tmdb__observations') }}) as expected_rows

    union all

    select
        'as_of is one row' as rule,
        (select count(*) from {{ ref('as_of') }}) as found_rows,
        1 as expected_rows

)

select * from row_counts
where found_rows != expected_rows
