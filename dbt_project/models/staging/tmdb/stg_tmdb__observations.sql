{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='observation_id',
        merge_insert_only=true,
        tblproperties={'delta.enableChangeDataFeed': 'true'},
        post_hook="{{ remember_read_versions() }}"
    )
}}

{#
    The one place where a payload is parsed. Scalars are declared as text and cast below, so that a type that TMDB changed
    costs no more than a cast.

    Nearly every payload is plain: the ids of its lists are whole numbers, it is compact, and no text begins with a space. Its
    lists are taken as they are read. Any other is read again with all values as text, and each value is cast: a function of
    a list's elements costs more than reading the whole payload. Both ways give the same.
#}
{% set scalars = [
    'title',
    'original_title',
    'overview',
    'original_language',
    'status',
    'release_date',
    'runtime',
    'budget',
    'revenue',
    'vote_average',
    'vote_count',
    'popularity',
] %}
{% set credit = 'id: ID, name: string, gender: NUMBER, known_for_department: string' %}
{% set person = [
    ('name', 'person_name', 'string'),
    ('gender', 'gender', 'int'),
    ('known_for_department', 'known_for_department', 'string'),
] %}
{% set named = 'array<struct<id: ID, name: string>>' %}
{% set lists %}
    genres {{ named }},
    credits struct<
        `cast`: array<struct<{{ credit }}, character: string, `order`: NUMBER, credit_id: string>>,
        crew: array<struct<{{ credit }}, department: string, job: string, credit_id: string>>
    >,
    keywords struct<keywords: {{ named }}>,
    production_companies {{ named }}
{% endset %}
{% set plain_lists = lists | replace('ID', 'bigint') | replace('NUMBER', 'int') %}
{% set lists_as_text = lists | replace('ID', 'string') | replace('NUMBER', 'string') %}
{% set lists_of_text %}
    genre_ids array<string>,
    reviews struct<results: array<struct<
        id: string,
        author: string,
        author_details: struct<rating: string>,
        content: string,
        created_at: string,
        updated_at: string
    >>>
{% endset %}

with

bronze_movies as (

    select * from {{ new_rows(source('bronze', 'movies')) }}

),

texts as (

    select
        *,
        {{ without_nul('payload') }} as payload_text
    from bronze_movies

),

plainly_read as (

    select
        *,
        -- an empty text counts as null; a quote after a colon that is followed by another is one
        from_json(
            replace(payload_text, ':""', ':null'),
            '{{ scalars | join(" string, ") }} string, {{ plain_lists }}, {{ lists_of_text }}, unlike_schema string',
            map('columnNameOfCorruptRecord', 'unlike_schema')
        ) as movie,
        contains(payload_text, ':" ') or contains(payload_text, '": ') as may_hold_blanks
    from texts

),

parsed as (

    select
        *,
        sha2(concat_ws('|', movie_id, cast(observed_at as string), payload_sha256), 256) as observation_id,
        movie.unlike_schema is null and not may_hold_blanks as is_plain,
        case
            when movie.unlike_schema is not null or may_hold_blanks
                then from_json(payload_text, '{{ lists_as_text }}')
        end as as_text,
        -- where each field holds something, each is there
        case
            when
                movie is null
                {%- for name in scalars %}
                or movie.{{ name }} is null
                {%- endfor %}
                or (movie.genres is null and movie.genre_ids is null)
                or movie.credits is null
                or movie.keywords is null
                or movie.production_companies is null
                or movie.reviews is null
                then coalesce(json_object_keys(payload), array())
        end as field_names
    from plainly_read

),

typed as (

    select
        observation_id,
        movie_id,
        observed_at,
        payload_sha256,
        payload,
        endpoint,
        source,
        batch_id,
        ingested_at,
        field_names,
        movie,
        is_plain,
        as_text,

        {{ to_text('movie.title') }} as title,
        {{ to_text('movie.original_title') }} as original_title,
        {{ to_text('movie.overview') }} as overview,
        {{ to_text('movie.original_language') }} as original_language,
        {{ to_text('movie.status') }} as status,
        {{ to_date('movie.release_date') }} as release_date,
        {{ to_count('movie.runtime', at_most=2147483647) }} as runtime,
        {{ to_count('movie.budget') }} as budget,
        {{ to_count('movie.revenue') }} as revenue,
        {{ to_measure('movie.vote_average', 10) }} as rating,
        {{ to_count('movie.vote_count') }} as vote_count,
        {{ to_measure('movie.popularity', 1e9) }} as popularity,

        -- list pages carry the ids only
        filter(
            coalesce(
                case
                    when is_plain
                        then transform(
                            movie.genres,
                            genre -> struct(genre.id as genre_id, {{ to_text('trim(genre.name)') }} as genre_name)
                        )
                    else transform(
                        as_text.genres,
                        genre -> struct(
                            try_cast(genre.id as bigint) as genre_id, {{ to_text('trim(genre.name)') }} as genre_name
                        )
                    )
                end,
                transform(
                    movie.genre_ids,
                    genre_id -> struct(try_cast(genre_id as bigint) as genre_id, cast(null as string) as genre_name)
                )
            ),
            genre -> genre.genre_id is not null
        ) as genres,

        {{ entries_of('credits.cast', 'person_id', person + [
            ('character', 'character', 'string'),
            ('order', 'billing_order', 'int'),
            ('credit_id', 'credit_id', 'string'),
        ]) }} as cast_credits,

        {{ entries_of('credits.crew', 'person_id', person + [
            ('department', 'department', 'string'),
            ('job', 'job', 'string'),
            ('credit_id', 'credit_id', 'string'),
        ]) }} as crew_credits,

        {{ entries_of('keywords.keywords', 'keyword_id', [('name', 'keyword_name', 'string')]) }} as keywords,

        {{ entries_of('production_companies', 'company_id', [('name', 'company_name', 'string')]) }}
            as production_companies,

        filter(
            transform(
                movie.reviews.results,
                review -> struct(
                    {{ to_text('trim(review.id)') }} as review_id,
                    {{ to_text('review.author') }} as author,
                    {{ to_measure('review.author_details.rating', 10) }} as author_rating,
                    {{ to_text('review.content') }} as content,
                    {{ to_timestamp('review.created_at') }} as created_at,
                    {{ to_timestamp('review.updated_at') }} as updated_at
                )
            ),
            review -> review.review_id is not null
        ) as reviews

    from parsed

),

observations as (

    select
        observation_id,
        movie_id,
        observed_at,
        payload_sha256,
        endpoint,
        source,
        batch_id,
        ingested_at,

        title,
        original_title,
        overview,
        original_language,
        status,
        release_date,
        runtime,
        budget,
        revenue,
        rating,
        vote_count,
        popularity,
        genres,
        cast_credits,
        crew_credits,
        keywords,
        production_companies,
        reviews,

        movie.title is not null or array_contains(field_names, 'title') as has_title,
        movie.original_title is not null or array_contains(field_names, 'original_title') as has_original_title,
        movie.overview is not null or array_contains(field_names, 'overview') as has_overview,
        movie.original_language is not null
        or array_contains(field_names, 'original_language') as has_original_language,
        movie.status is not null or array_contains(field_names, 'status') as has_status,
        movie.release_date is not null or array_contains(field_names, 'release_date') as has_release_date,
        movie.runtime is not null or array_contains(field_names, 'runtime') as has_runtime,
        movie.budget is not null or array_contains(field_names, 'budget') as has_budget,
        movie.revenue is not null or array_contains(field_names, 'revenue') as has_revenue,
        movie.vote_average is not null or array_contains(field_names, 'vote_average') as has_rating,
        movie.vote_count is not null or array_contains(field_names, 'vote_count') as has_vote_count,
        movie.popularity is not null or array_contains(field_names, 'popularity') as has_popularity,
        movie.genres is not null
        or movie.genre_ids is not null
        or arrays_overlap(field_names, array('genres', 'genre_ids')) as has_genres,
        -- `credits` may carry one of its two lists; `"credits": null` says that there are none
        case
            when is_plain and movie.credits is not null then movie.credits.cast is not null
            else
                (movie.credits is not null or array_contains(field_names, 'credits'))
                and (as_text.credits is null or as_text.credits.cast is not null)
        end as has_cast_credits,
        case
            when is_plain and movie.credits is not null then movie.credits.crew is not null
            else
                (movie.credits is not null or array_contains(field_names, 'credits'))
                and (as_text.credits is null or as_text.credits.crew is not null)
        end as has_crew_credits,
        movie.keywords is not null or array_contains(field_names, 'keywords') as has_keywords,
        movie.production_companies is not null
        or array_contains(field_names, 'production_companies') as has_production_companies,
        movie.reviews is not null or array_contains(field_names, 'reviews') as has_reviews,

        -- dbt-spark turns ANSI mode off, where a failed cast is a silent NULL: named here, counted in `cast_failures`
        array_compact(
            array(
                case when field_names = array() then 'payload' end,
                {{ uncastable('release_date', 'movie.release_date', 'release_date') }},
                {{ uncastable('runtime', 'movie.runtime', 'runtime') }},
                {{ uncastable('budget', 'movie.budget', 'budget') }},
                {{ uncastable('revenue', 'movie.revenue', 'revenue') }},
                {{ uncastable('rating', 'movie.vote_average', 'rating') }},
                {{ uncastable('vote_count', 'movie.vote_count', 'vote_count') }},
                {{ uncastable('popularity', 'movie.popularity', 'popularity') }},
                {{ unreadable_list('genres', 'genres', '$.genres') }},
                {{ unreadable_list('cast_credits', 'credits.cast', '$.credits.cast') }},
                {{ unreadable_list('crew_credits', 'credits.crew', '$.credits.crew') }},
                {{ unreadable_list('keywords', 'keywords.keywords', '$.keywords') }},
                {{ unreadable_list('production_companies', 'production_companies', '$.production_companies') }},
                case
                    when movie.reviews.results is null and get_json_object(payload, '$.reviews') is not null
                        then 'reviews'
                    when exists(movie.reviews.results, review -> nullif(trim(review.id), '') is null) then 'reviews'
                end
            )
        ) as uncastable_fields

    from typed

)

select * from observations
