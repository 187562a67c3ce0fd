{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='crew_member_id',
        merge_tombstones=true,
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

crew_credits as (

    select
        movie_records.movie_id,
        credit.person_id,
        credit.department,
        credit.job,
        credit.credit_id,
        list_index,
        -- one person may have several credits in a movie; where a credit has no id, what it says stands for one
        concat_ws(
            '-',
            movie_records.movie_id,
            coalesce(
                credit.credit_id,
                sha2(concat_ws('|', credit.person_id, coalesce(credit.department, ''), coalesce(credit.job, '')), 256)
            )
        ) as crew_member_id
    from movie_records
        lateral view posexplode(movie_records.crew_credits.value) as list_index, credit

),

crew_members as (

    select *
    from crew_credits
    qualify row_number() over (partition by crew_member_id order by list_index) = 1

),

merge_rows as (

    {{ with_removed(
        'crew_members',
        'movie_records',
        ['crew_member_id', 'movie_id', 'person_id', 'department', 'job', 'credit_id']
    ) }}

)

select * from merge_rows
