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
        missing as missing_records,
        changed as changed_records,
        started_at,
        finished_at,
        status,
        watermark as watermark_at,
        -- an answer of the API states the time itself, whatever was asked for
        greatest(watermark, case when source = 'api' and landed > 0 then as_of end) as stated_until_at
    from bronze_batches

)

select * from batches
