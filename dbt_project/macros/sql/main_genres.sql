{#
    The genres that most movies of each `key` have: the greatest count first, equal counts by name, as many as
    var('genre_list_length') says. A query over `movies`, which holds a row a key and movie, with `genres`; a key whose
    movies have none is left out.
#}
{% macro main_genres(movies, key) -%}
    select
        {{ key }},
        transform(
            slice(
                array_sort(collect_list(struct(-genre_movies as descending, genre_name))),
                1,
                {{ var('genre_list_length') }}
            ),
            entry -> entry.genre_name
        ) as main_genres
    from (
        select
            {{ key }},
            genre_name,
            count(*) as genre_movies
        from (
            select
                {{ key }},
                explode(genres) as genre_name
            from {{ movies }}
        )
        group by {{ key }}, genre_name
    )
    group by {{ key }}
{%- endmacro %}
