with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

released_movies as (

    select
        *,
        cast(trunc(release_date, 'month') as date) as month_start_date
    from movie_performance
    where is_released

),

first_month as (

    select min(month_start_date) as month_start_date from released_movies

),

months as (

    select
        cast(as_of.as_of_at as date) as computed_date,
        explode(
            sequence(first_month.month_start_date, cast(as_of.as_of_at as date), interval 1 month)
        ) as month_start_date
    from first_month
    cross join as_of
    where first_month.month_start_date is not null

),

monthly_measures as (

    select
        months.month_start_date,
        months.computed_date,
        count(released_movies.movie_id) as total_movies,
        count(released_movies.revenue) as revenue_movies,
        sum(released_movies.revenue) as total_revenue,
        -- the greatest revenue; of equal ones the least movie_id
        min(
            case
                when released_movies.revenue is not null
                    then struct(
                        -released_movies.revenue as descending_revenue,
                        released_movies.movie_id,
                        released_movies.title
                    )
            end
        ) as top_movie
    from months
    left join released_movies
        on months.month_start_date = released_movies.month_start_date
    group by months.month_start_date, months.computed_date

),

rolling_measures as (

    select
        *,
        case when count(*) over last_3 = 3 then sum(total_revenue) over last_3 end as rolling_3m_revenue,
        case when count(*) over last_12 = 12 then sum(total_revenue) over last_12 end as rolling_12m_revenue,
        case when count(*) over last_12 = 12 then sum(total_movies) over last_12 end as rolling_12m_movies,
        sum(total_revenue) over so_far_in_year as year_to_date_revenue,
        month_start_date = trunc(computed_date, 'month') as is_partial_month
    from monthly_measures
    window
        last_3 as (order by month_start_date rows between 2 preceding and current row),
        last_12 as (order by month_start_date rows between 11 preceding and current row),
        so_far_in_year as (
            partition by year(month_start_date) order by month_start_date
            rows between unbounded preceding and current row
        )

),

box_office_trends as (

    select
        month_start_date,
        computed_date,
        is_partial_month,
        total_movies,
        revenue_movies,
        total_revenue,
        rolling_3m_revenue,
        rolling_12m_revenue,
        rolling_12m_movies,
        year_to_date_revenue,
        top_movie.movie_id as top_movie_id,
        top_movie.title as top_movie_title,
        -top_movie.descending_revenue as top_movie_revenue,
        year(month_start_date) as release_year,
        month(month_start_date) as release_month,
        case
            when not is_partial_month
                then rolling_12m_revenue / lag(rolling_12m_revenue, 12) over (order by month_start_date) - 1
        end as rolling_12m_growth
    from rolling_measures

)

select * from box_office_trends
