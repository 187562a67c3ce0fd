with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

movies as (

    select * from {{ ref('movies') }}

),

genre_movies as (

    select * from {{ ref('genre_movies') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

released_movies as (

    select
        movies.movie_id,
        movies.release_year,
        movies.runtime,
        movies.original_language,
        movie_performance.budget,
        movie_performance.roi,
        movie_performance.sentiment_score
    from movies
    inner join movie_performance
        on movies.movie_id = movie_performance.movie_id
    where movie_performance.is_released

),

yearly_measures as (

    select
        release_year,
        count(*) as total_movies,
        count(runtime) as runtime_movies,
        {{ exact_avg('runtime') }} as avg_runtime,
        percentile(runtime, array(0.1, 0.5, 0.9)) as runtime_quantiles,
        count(budget) as budget_movies,
        percentile(budget, array(0.25, 0.5, 0.75, 0.9)) as budget_quantiles,
        count(roi) as roi_movies,
        percentile(roi, 0.5) as median_roi,
        count(sentiment_score) as sentiment_movies,
        {{ exact_avg('sentiment_score') }} as avg_sentiment
    from released_movies
    group by release_year

),

language_shares as (

    select
        release_year,
        original_language,
        count(*) as language_movies,
        count(*) / sum(count(*)) over (partition by release_year) as language_share
    from released_movies
    where original_language is not null
    group by release_year, original_language

),

languages_of_year as (

    select
        release_year,
        sum(language_movies) as language_movies,
        count(*) as languages,
        min(struct(-language_movies as descending_movies, original_language, language_share)) as top_language,
        {{ effective_number('language_share') }} as effective_languages
    from language_shares
    group by release_year

),

genre_parts as (

    select
        release_year,
        genre_id,
        -- a movie of k genres counts 1/k in each
        cast(sum(cast(1d / genre_count as decimal(28, 18))) as double) as split_movies,
        count(*) as listed_movies
    from genre_movies
    group by release_year, genre_id

),

genre_shares as (

    select
        *,
        split_movies / cast(sum(cast(split_movies as decimal(28, 18))) over (partition by release_year) as double)
            as genre_share
    from genre_parts

),

genres_of_year as (

    select
        release_year,
        count(*) as genres,
        sum(listed_movies) as listed_genres,
        {{ effective_number('genre_share') }} as effective_genres
    from genre_shares
    group by release_year

),

movies_with_genre as (

    select
        release_year,
        count(distinct movie_id) as genre_movies
    from genre_movies
    group by release_year

),

industry_indicators as (

    select
        yearly_measures.release_year,
        yearly_measures.total_movies,
        yearly_measures.runtime_movies,
        yearly_measures.avg_runtime,
        yearly_measures.budget_movies,
        yearly_measures.roi_movies,
        yearly_measures.median_roi,
        yearly_measures.sentiment_movies,
        yearly_measures.avg_sentiment,
        languages_of_year.top_language.original_language as top_language,
        languages_of_year.top_language.language_share as top_language_share,
        languages_of_year.effective_languages,
        genres_of_year.effective_genres,
        cast(as_of.as_of_at as date) as computed_date,
        yearly_measures.runtime_quantiles[0] as p10_runtime,
        yearly_measures.runtime_quantiles[1] as median_runtime,
        yearly_measures.runtime_quantiles[2] as p90_runtime,
        yearly_measures.budget_quantiles[0] as p25_budget,
        yearly_measures.budget_quantiles[1] as median_budget,
        yearly_measures.budget_quantiles[2] as p75_budget,
        yearly_measures.budget_quantiles[3] as p90_budget,
        yearly_measures.release_year = year(as_of.as_of_at) as is_partial_year,
        coalesce(languages_of_year.language_movies, 0) as language_movies,
        coalesce(languages_of_year.languages, 0) as languages,
        coalesce(movies_with_genre.genre_movies, 0) as genre_movies,
        coalesce(genres_of_year.genres, 0) as genres,
        genres_of_year.listed_genres / movies_with_genre.genre_movies as genres_per_movie
    from yearly_measures
    left join languages_of_year
        on yearly_measures.release_year = languages_of_year.release_year
    left join genres_of_year
        on yearly_measures.release_year = genres_of_year.release_year
    left join movies_with_genre
        on yearly_measures.release_year = movies_with_genre.release_year
    cross join as_of

)

select * from industry_indicators
