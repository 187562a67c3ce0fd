{#
    What was known of a movie, and from when to when: a version for each change of a descriptive column. Votes, popularity and
    revenue change all the time and make no version; `movie_observations` has them.

    A version is valid from the observation that brought it, not from the moment that the snapshot was taken. What the
    snapshot did not see (two changes in one batch, an observation that came late) has no version: the full account is
    `stg_tmdb__observations`.
#}
{% snapshot movies_history %}

{{
    config(
        schema='silver',
        file_format='delta',
        strategy='check',
        unique_key='movie_id',
        updated_at='observed_at',
        check_cols=[
            'title',
            'overview',
            'release_date',
            'genre_ids',
            'runtime',
            'budget',
            'directors',
            'original_language',
            'status',
        ]
    )
}}

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

described_movies as (

    select
        movies.movie_id,
        movies.title,
        movies.overview,
        movies.release_date,
        coalesce(genre_ids_per_movie.genre_ids, array()) as genre_ids,
        movies.runtime,
        movies.budget,
        movies.directors,
        movies.original_language,
        movies.status,
        movies.observed_at
    from movies
    left join genre_ids_per_movie
        on movies.movie_id = genre_ids_per_movie.movie_id

)

select * from described_movies

{% endsnapshot %}
