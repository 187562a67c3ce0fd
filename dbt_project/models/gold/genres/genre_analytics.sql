with

genre_movies as (

    select * from {{ ref('genre_movies') }}

),

crew_members as (

    select * from {{ ref('crew_members') }}

),

people as (

    select * from {{ ref('people') }}

),

genres as (

    select * from {{ ref('genres') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

genre_months as (

    select
        genre_id,
        release_year,
        release_month,
        count(*) as total_movies,
        {{ exact_avg('rating') }} as avg_rating,
        count(rating) as rated_movies,
        sum(revenue) as total_revenue,
        count(revenue) as revenue_movies,
        {{ exact_avg('budget') }} as avg_budget,
        count(budget) as budget_movies,
        {{ exact_avg('sentiment_score') }} as avg_sentiment,
        count(sentiment_score) as sentiment_movies,
        slice(
            array_sort(
                collect_list(
                    struct(
                        -weighted_rating as descending_rating,
                        -vote_count as descending_votes,
                        movie_id,
                        title,
                        rating,
                        vote_count,
                        weighted_rating
                    )
                ) filter (where weighted_rating is not null)
            ),
            1,
            {{ var('top_list_length') }}
        ) as best_movies
    from genre_movies
    group by genre_id, release_year, release_month

),

directors as (

    select distinct
        movie_id,
        person_id
    from crew_members
    where job = 'Director'

),

director_months as (

    select
        genre_movies.genre_id,
        genre_movies.release_year,
        genre_movies.release_month,
        directors.person_id,
        count(*) as directed_movies,
        {{ exact_avg('genre_movies.weighted_rating') }} as mean_weighted_rating
    from genre_movies
    inner join directors
        on genre_movies.movie_id = directors.movie_id
    group by genre_movies.genre_id, genre_movies.release_year, genre_movies.release_month, directors.person_id

),

best_directors as (

    select
        director_months.genre_id,
        director_months.release_year,
        director_months.release_month,
        slice(
            array_sort(
                collect_list(
                    struct(
                        -director_months.directed_movies as descending_movies,
                        -coalesce(director_months.mean_weighted_rating, 0) as descending_rating,
                        director_months.person_id,
                        people.person_name,
                        director_months.directed_movies,
                        director_months.mean_weighted_rating
                    )
                )
            ),
            1,
            {{ var('top_list_length') }}
        ) as best_directors
    from director_months
    left join people
        on director_months.person_id = people.person_id
    group by director_months.genre_id, director_months.release_year, director_months.release_month

),

genre_analytics as (

    select
        genre_months.genre_id,
        genres.genre_name,
        genre_months.release_year,
        genre_months.release_month,
        genre_months.total_movies,
        genre_months.avg_rating,
        genre_months.rated_movies,
        genre_months.total_revenue,
        genre_months.revenue_movies,
        genre_months.avg_budget,
        genre_months.budget_movies,
        genre_months.avg_sentiment,
        genre_months.sentiment_movies,
        cast(as_of.as_of_at as date) as computed_date,
        concat_ws(
            '-', genre_months.genre_id, genre_months.release_year, genre_months.release_month
        ) as genre_analytics_id,
        transform(
            genre_months.best_movies,
            movie -> struct(movie.movie_id, movie.title, movie.rating, movie.vote_count, movie.weighted_rating)
        ) as top_movies,
        transform(
            coalesce(best_directors.best_directors, array()),
            director -> struct(
                director.person_id, director.person_name, director.directed_movies, director.mean_weighted_rating
            )
        ) as top_directors
    from genre_months
    left join best_directors
        on
            genre_months.genre_id = best_directors.genre_id
            and genre_months.release_year = best_directors.release_year
            and genre_months.release_month = best_directors.release_month
    left join genres
        on genre_months.genre_id = genres.genre_id
    cross join as_of

)

select * from genre_analytics
