{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_review_id',
        merge_tombstones=true,
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

reviews_listed as (

    select
        movie_records.movie_id,
        review.review_id,
        review.author,
        review.author_rating,
        review.content,
        review.created_at,
        review.updated_at,
        list_index,
        concat(movie_records.movie_id, '-', review.review_id) as movie_review_id
    from movie_records
        lateral view posexplode(movie_records.reviews.value) as list_index, review

),

reviews_listed_once as (

    select *
    from reviews_listed
    qualify row_number() over (partition by movie_review_id order by list_index) = 1

),

scored_reviews as (

    select
        *,
        vader_compound(content) as sentiment_score
    from reviews_listed_once

),

reviews as (

    select
        movie_review_id,
        movie_id,
        review_id,
        author,
        author_rating,
        content,
        created_at,
        updated_at,
        sentiment_score,
        vader_category(sentiment_score) as sentiment_category
    from scored_reviews

),

merge_rows as (

    {{ with_removed(
        'reviews',
        'movie_records',
        [
            'movie_review_id',
            'movie_id',
            'review_id',
            'author',
            'author_rating',
            'content',
            'created_at',
            'updated_at',
            'sentiment_score',
            'sentiment_category',
        ]
    ) }}

)

select * from merge_rows
