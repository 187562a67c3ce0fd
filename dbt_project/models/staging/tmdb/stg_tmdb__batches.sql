{{ config(materialized='view') }}

with

bronze_batches as (

    select * from {{ source('bronze', 'batches') }}

),

batches as (

    select
        batch_id,
        source,
        endpoint,
        window_start as window_started_at,
        window_end as window_ended_at,
        requested as requested_records,
        landed as landed_records,
        unchanged as unchanged_records,
        quarantined as quarantined_records,
        duplicates as duplicate_records,
        started_at,
        finished_at,
        status,
        watermark as watermark_at
    from bronze_batches

)

select * from batches
