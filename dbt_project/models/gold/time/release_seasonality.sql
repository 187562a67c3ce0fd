with

movie_performance as (

    select * from {{ ref('movie_performance') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

all_months as (

    select explode(sequence(1, 12)) as release_month

),

monthly_measures as (

    select
        all_months.release_month,
        count(movie_performance.movie_id) as total_movies,
        count(movie_performance.rating) as rated_movies,
        {{ exact_avg('movie_performance.rating') }} as avg_rating,
        count(movie_performance.revenue) as revenue_movies,
        sum(movie_performance.revenue) as total_revenue,
        {{ exact_avg('movie_performance.revenue') }} as avg_revenue,
        percentile(movie_performance.revenue, 0.5) as median_revenue,
        count(movie_performance.budget) as budget_movies,
        {{ exact_avg('movie_performance.budget') }} as avg_budget,
        count(movie_performance.roi) as roi_movies,
        percentile(movie_performance.roi, 0.5) as median_roi,
        count_if(movie_performance.roi >= {{ var('hit_minimum_roi') }})
        / nullif(count(movie_performance.roi), 0) as hit_rate
    from all_months
    left join movie_performance
        on
            all_months.release_month = movie_performance.release_month
            and movie_performance.is_released
    group by all_months.release_month

),

shares as (

    select
        *,
        total_movies / nullif(sum(total_movies) over (), 0) as share_of_movies,
        total_revenue / sum(total_revenue) over () as share_of_revenue
    from monthly_measures

),

release_seasonality as (

    select
        shares.*,
        cast(as_of.as_of_at as date) as computed_date,
        12 * shares.share_of_movies as seasonality_index,
        row_number() over (order by shares.total_movies desc, shares.release_month asc) as month_rank
    from shares
    cross join as_of
    where shares.share_of_movies is not null

)

select * from release_seasonality
