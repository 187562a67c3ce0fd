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
#}
{% set credit_schema = 'id: string, name: string, gender: string, known_for_department: string, credit_id: string' %}
{% set named_list_schema = 'array<struct<id: string, name: string>>' %}
{% set payload_schema %}
    title string,
    original_title string,
    overview string,
    original_language string,
    status string,
    release_date string,
    runtime string,
    budget string,
    revenue string,
    vote_average string,
    vote_count string,
    popularity string,
    genres {{ named_list_schema }},
    genre_ids array<string>,
    credits struct<
        `cast`: array<struct<{{ credit_schema }}, character: string, `order`: string>>,
        crew: array<struct<{{ credit_schema }}, department: string, job: string>>
    >,
    keywords struct<keywords: {{ named_list_schema }}>,
    production_companies {{ named_list_schema }},
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

parsed as (

    select
        *,
        sha2(concat_ws('|', movie_id, cast(observed_at as string), payload_sha256), 256) as observation_id,
        from_json({{ without_nul('payload') }}, '{{ payload_schema }}') as movie,
        coalesce(json_object_keys(payload), array()) as field_names
    from bronze_movies

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
                transform(
                    movie.genres,
                    genre -> struct(
                        try_cast(genre.id as bigint) as genre_id, {{ to_text('trim(genre.name)') }} as genre_name
                    )
                ),
                transform(
                    movie.genre_ids,
                    genre_id -> struct(try_cast(genre_id as bigint) as genre_id, cast(null as string) as genre_name)
                )
            ),
            genre -> genre.genre_id is not null
        ) as genres,

        filter(
            transform(
                movie.credits.cast,
                credit -> struct(
                    try_cast(credit.id as bigint) as person_id,
                    {{ to_text('credit.name') }} as person_name,
                    try_cast(credit.gender as int) as gender,
                    {{ to_text('credit.known_for_department') }} as known_for_department,
                    {{ to_text('credit.character') }} as character,
                    try_cast(credit.order as int) as billing_order,
                    {{ to_text('credit.credit_id') }} as credit_id
                )
            ),
            credit -> credit.person_id is not null
        ) as cast_credits,

        filter(
            transform(
                movie.credits.crew,
                credit -> struct(
                    try_cast(credit.id as bigint) as person_id,
                    {{ to_text('credit.name') }} as person_name,
                    try_cast(credit.gender as int) as gender,
                    {{ to_text('credit.known_for_department') }} as known_for_department,
                    {{ to_text('credit.department') }} as department,
                    {{ to_text('credit.job') }} as job,
                    {{ to_text('credit.credit_id') }} as credit_id
                )
            ),
            credit -> credit.person_id is not null
        ) as crew_credits,

        filter(
            transform(
                movie.keywords.keywords,
                keyword -> struct(
                    try_cast(keyword.id as bigint) as keyword_id, {{ to_text('keyword.name') }} as keyword_name
                )
            ),
            keyword -> keyword.keyword_id is not null
        ) as keywords,

        filter(
            transform(
                movie.production_companies,
                company -> struct(
                    try_cast(company.id as bigint) as company_id, {{ to_text('company.name') }} as company_name
                )
            ),
            company -> company.company_id is not null
        ) as production_companies,

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

        array_contains(field_names, 'title') as has_title,
        array_contains(field_names, 'original_title') as has_original_title,
        array_contains(field_names, 'overview') as has_overview,
        array_contains(field_names, 'original_language') as has_original_language,
        array_contains(field_names, 'status') as has_status,
        array_contains(field_names, 'release_date') as has_release_date,
        array_contains(field_names, 'runtime') as has_runtime,
        array_contains(field_names, 'budget') as has_budget,
        array_contains(field_names, 'revenue') as has_revenue,
        array_contains(field_names, 'vote_average') as has_rating,
        array_contains(field_names, 'vote_count') as has_vote_count,
        array_contains(field_names, 'popularity') as has_popularity,
        arrays_overlap(field_names, array('genres', 'genre_ids')) as has_genres,
        -- `credits` may carry one of its two lists; `"credits": null` says that there are none
        array_contains(field_names, 'credits')
        and (movie.credits is null or movie.credits.cast is not null) as has_cast_credits,
        array_contains(field_names, 'credits')
        and (movie.credits is null or movie.credits.crew is not null) as has_crew_credits,
        array_contains(field_names, 'keywords') as has_keywords,
        array_contains(field_names, 'production_companies') as has_production_companies,
        array_contains(field_names, 'reviews') as has_reviews,

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
                {{ unreadable_list('genres', 'movie.genres', '$.genres') }},
                {{ unreadable_list('cast_credits', 'movie.credits.cast', '$.credits.cast') }},
                {{ unreadable_list('crew_credits', 'movie.credits.crew', '$.credits.crew') }},
                {{ unreadable_list('keywords', 'movie.keywords.keywords', '$.keywords') }},
                {{ unreadable_list('production_companies', 'movie.production_companies', '$.production_companies') }},
                {{ unreadable_list('reviews', 'movie.reviews.results', '$.reviews', 'string') }}
            )
        ) as uncastable_fields

    from typed

)

select * from observations
