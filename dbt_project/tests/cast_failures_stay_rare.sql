{#
    A value that cannot be read becomes NULL and is counted in `cast_failures`. Now and then one is normal; a field that fails
    in more than var('cast_failure_limit') of a batch's observations was renamed or retyped by TMDB, and no mart should be
    made from it. Fails with a row for each such field and batch.

    Of lists nothing is said here: records of some years name thousands of companies without an id, which is counted but is no
    change of the field. The gate holds genres to its completeness.
#}
with

batch_sizes as (

    select
        batch_id,
        count(*) as observations
    from {{ ref('stg_tmdb__observations') }}
    group by batch_id

),

failures as (

    select * from {{ ref('cast_failures') }}

)

select
    failures.field_name,
    failures.batch_id,
    failures.failed_observations,
    batch_sizes.observations,
    failures.example_observation_id
from failures
inner join batch_sizes
    on failures.batch_id = batch_sizes.batch_id
where
    failures.field_name in (
        'payload', 'release_date', 'runtime', 'budget', 'revenue', 'rating', 'vote_count', 'popularity'
    )
    and failures.failed_observations > {{ var('cast_failure_limit') }} * batch_sizes.observations
    and failures.failed_observations >= {{ var('cast_failure_minimum') }}
