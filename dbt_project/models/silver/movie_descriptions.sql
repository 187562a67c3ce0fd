{{ config(materialized='ephemeral') }}

with

movies as (

    select * from {{ ref('movies') }}

),

movie_genres as (

    select * from {{ ref('movie_genres') }}

),

-- ids, because another name of a genre is no change of the movie
genre_ids_per_movie as (

    select
        movie_id,
        transform(array_sort(collect_list(struct(position, genre_id))), genre -> genre.genre_id) as genre_ids
    from movie_genres
    group by movie_id

),

movie_descriptions as (

    select
        movies.movie_id,
        movies.title,
        movies.overview,
        movies.release_date,
        movies.runtime,
        movies.budget,
        movies.directors,
        movies.original_language,
        movies.status,
        movies.observed_at,
        coalesce(genre_ids_per_movie.genre_ids, array()) as genre_ids
    from movies
    left join genre_ids_per_movie
        on movies.movie_id = genre_ids_per_movie.movie_id

)

select * from movie_descriptions
