{#
    The fields of a movie that are folded one by one: each has, in `stg_tmdb__observations`, a column of this name and a
    column `has_<name>` that says whether the observation carried it. A new field is added here and there, and takes one
    `dbt run --full-refresh --select stg_tmdb__observations+`.
#}
{% macro movie_fields() -%}
    {{ return([
        'title',
        'original_title',
        'overview',
        'original_language',
        'status',
        'release_date',
        'runtime',
        'budget',
        'revenue',
        'rating',
        'vote_count',
        'popularity',
        'genres',
        'cast_credits',
        'crew_credits',
        'keywords',
        'production_companies',
        'reviews',
    ]) }}
{%- endmacro %}


{# A list of select items, one for each movie field: `expression` with FIELD replaced by the field's name. #}
{% macro for_each_movie_field(expression) -%}
    {%- for field in movie_fields() -%}
        {{ expression | replace('FIELD', field) }}{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
