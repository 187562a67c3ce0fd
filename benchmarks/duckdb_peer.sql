-- What `stg_tmdb__observations` does, as one writes it for DuckDB: every payload is parsed once. Reasons for fields that
-- could not be cast are left out.
with parsed as (
    select
        *,
        sha256(concat_ws('|', movie_id, strftime(observed_at, '%Y-%m-%d %H:%M:%S'), payload_sha256)) as observation_id,
        json_keys(payload) as field_names,
        from_json(payload, '{
            "title": "VARCHAR", "original_title": "VARCHAR", "overview": "VARCHAR", "original_language": "VARCHAR",
            "status": "VARCHAR", "release_date": "VARCHAR", "runtime": "VARCHAR", "budget": "VARCHAR",
            "revenue": "VARCHAR", "vote_average": "VARCHAR", "vote_count": "VARCHAR", "popularity": "VARCHAR",
            "genres": [{"id": "VARCHAR", "name": "VARCHAR"}],
            "credits": {
                "cast": [{"id": "VARCHAR", "name": "VARCHAR", "gender": "VARCHAR", "known_for_department": "VARCHAR",
                          "credit_id": "VARCHAR", "character": "VARCHAR", "order": "VARCHAR"}],
                "crew": [{"id": "VARCHAR", "name": "VARCHAR", "gender": "VARCHAR", "known_for_department": "VARCHAR",
                          "credit_id": "VARCHAR", "department": "VARCHAR", "job": "VARCHAR"}]
            },
            "keywords": {"keywords": [{"id": "VARCHAR", "name": "VARCHAR"}]},
            "production_companies": [{"id": "VARCHAR", "name": "VARCHAR"}],
            "reviews": {"results": [{"id": "VARCHAR", "author": "VARCHAR", "author_details": {"rating": "VARCHAR"},
                         "content": "VARCHAR", "created_at": "VARCHAR", "updated_at": "VARCHAR"}]}
        }') as movie
    from bronze.movies
)
select
    observation_id, movie_id, observed_at, payload_sha256, endpoint, "source", batch_id, ingested_at,
    text_of(movie.title) as title,
    text_of(movie.original_title) as original_title,
    text_of(movie.overview) as overview,
    text_of(movie.original_language) as original_language,
    text_of(movie.status) as status,
    case when regexp_matches(movie.release_date, '^[0-9]{4}-[0-9]{2}-[0-9]{2}')
        then try_cast(substring(movie.release_date, 1, 10) as date) end as release_date,
    count_of(movie.runtime) as runtime,
    count_of(movie.budget) as budget,
    count_of(movie.revenue) as revenue,
    measure_of(movie.vote_average, 10) as rating,
    count_of(movie.vote_count) as vote_count,
    measure_of(movie.popularity, 1e9) as popularity,
    list_filter(list_transform(movie.genres, lambda one: {
        'genre_id': try_cast(one.id as bigint), 'genre_name': text_of(trim(one.name))
    }), lambda one: one.genre_id is not null) as genres,
    list_filter(list_transform(movie.credits.cast, lambda one: {
        'person_id': try_cast(one.id as bigint), 'person_name': text_of(one.name), 'gender': try_cast(one.gender as int),
        'known_for_department': text_of(one.known_for_department), 'character': text_of(one.character),
        'billing_order': try_cast(one.order as int), 'credit_id': text_of(one.credit_id)
    }), lambda one: one.person_id is not null) as cast_credits,
    list_filter(list_transform(movie.credits.crew, lambda one: {
        'person_id': try_cast(one.id as bigint), 'person_name': text_of(one.name), 'gender': try_cast(one.gender as int),
        'known_for_department': text_of(one.known_for_department), 'department': text_of(one.department),
        'job': text_of(one.job), 'credit_id': text_of(one.credit_id)
    }), lambda one: one.person_id is not null) as crew_credits,
    list_filter(list_transform(movie.keywords.keywords, lambda one: {
        'keyword_id': try_cast(one.id as bigint), 'keyword_name': text_of(one.name)
    }), lambda one: one.keyword_id is not null) as keywords,
    list_filter(list_transform(movie.production_companies, lambda one: {
        'company_id': try_cast(one.id as bigint), 'company_name': text_of(one.name)
    }), lambda one: one.company_id is not null) as production_companies,
    list_filter(list_transform(movie.reviews.results, lambda one: {
        'review_id': text_of(trim(one.id)), 'author': text_of(one.author),
        'author_rating': measure_of(one.author_details.rating, 10), 'content': text_of(one.content),
        'created_at': try_cast(one.created_at as timestamptz), 'updated_at': try_cast(one.updated_at as timestamptz)
    }), lambda one: one.review_id is not null) as reviews,
    list_contains(field_names, 'title') as has_title,
    list_contains(field_names, 'original_title') as has_original_title,
    list_contains(field_names, 'overview') as has_overview,
    list_contains(field_names, 'original_language') as has_original_language,
    list_contains(field_names, 'status') as has_status,
    list_contains(field_names, 'release_date') as has_release_date,
    list_contains(field_names, 'runtime') as has_runtime,
    list_contains(field_names, 'budget') as has_budget,
    list_contains(field_names, 'revenue') as has_revenue,
    list_contains(field_names, 'vote_average') as has_rating,
    list_contains(field_names, 'vote_count') as has_vote_count,
    list_contains(field_names, 'popularity') as has_popularity,
    list_contains(field_names, 'genres') as has_genres,
    list_contains(field_names, 'credits') as has_cast_credits,
    list_contains(field_names, 'credits') as has_crew_credits,
    list_contains(field_names, 'keywords') as has_keywords,
    list_contains(field_names, 'production_companies') as has_production_companies,
    list_contains(field_names, 'reviews') as has_reviews,
    cast([] as varchar[]) as uncastable_fields
from parsed
