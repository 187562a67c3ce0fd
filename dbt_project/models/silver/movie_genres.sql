{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='movie_genre_id',
        merge_tombstones=true,
        tblproperties={'delta.enableChangeDataFeed': 'true'},
        post_hook="{{ remember_read_versions() }}"
    )
}}

with

movie_records as (

    select * from {{ new_rows(ref('movie_records'), key='movie_id') }}

),

genres as (

    select * from {{ ref('genres') }}

),

genres_listed as (

    select
        movie_records.movie_id,
        genre.genre_id,
        min(list_index) as position
    from movie_records
        lateral view posexplode(movie_records.genres.value) as list_index, genre
    group by movie_records.movie_id, genre.genre_id

),

{% if is_incremental() %}
-- a genre that got another name is renamed in the movies that this batch does not touch, too
genres_renamed as (

    select
        previous.movie_id,
        previous.genre_id,
        previous.position
    from {{ this }} as previous
    inner join genres
        on previous.genre_id = genres.genre_id
    left anti join movie_records
        on previous.movie_id = movie_records.movie_id
    where not previous.genre_name <=> genres.genre_name

),

{% endif %}
movie_genre_pairs as (

    select * from genres_listed

    {% if is_incremental() %}
    union all

    select * from genres_renamed
    {% endif %}

),

movie_genres as (

    select
        movie_genre_pairs.movie_id,
        movie_genre_pairs.genre_id,
        genres.genre_name,
        movie_genre_pairs.position,
        concat(movie_genre_pairs.movie_id, '-', movie_genre_pairs.genre_id) as movie_genre_id
    from movie_genre_pairs
    left join genres
        on movie_genre_pairs.genre_id = genres.genre_id

),

merge_rows as (

    {{ with_removed(
        'movie_genres',
        'movie_records',
        ['movie_genre_id', 'movie_id', 'genre_id', 'genre_name', 'position']
    ) }}

)

select * from merge_rows
