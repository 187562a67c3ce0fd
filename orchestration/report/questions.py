"""What the report asks the lake: plain SQL, a question a part of a page.

Instants come as milliseconds since 1970 and lists as text, so that a Thrift client and a Spark session answer alike.
Every question names the whole order of its rows: the same tables give the same bytes.
"""

from dataclasses import dataclass

# Runs in the history, and gates in the scores over time.
HISTORY = 40
# Years that the charts over time go back.
YEARS = 30
_BOX_OFFICE_MONTHS = 15 * 12


@dataclass(frozen=True)
class Question:
    """A question.

    Args:
        name: how the pages call the answer.
        table: the table that must be there, and that is named where it has nothing to say.
        sql: one statement; `{run}` stands for the id of the run that the report is about, quoted.
        none: what it means that the table holds nothing of the run.
    """

    name: str
    table: str
    sql: str
    none: str = ""


_RECENT_RUNS = f"select run_id from ops.runs order by started_at desc, run_id limit {HISTORY}"

# A cycle is what the report is about; of a lake that saw none, any run.
RUN = Question(
    "run",
    "ops.runs",
    """
    select run_id, kind, status, unix_millis(started_at) as started_ms, unix_millis(finished_at) as finished_ms,
        seconds, unix_millis(as_of) as as_of_ms, error, next_step, host, cores
    from ops.runs
    {where}
    order by case when kind in ('demo', 'run', 'tmdb_transform') then 0 else 1 end, started_at desc, run_id
    limit 1
    """,
)

OPS: tuple[Question, ...] = (
    Question(
        "runs",
        "ops.runs",
        f"""
        select run_id, kind, status, unix_millis(started_at) as started_ms, unix_millis(finished_at) as finished_ms,
            seconds, unix_millis(as_of) as as_of_ms, error
        from ops.runs
        order by started_at desc, run_id
        limit {HISTORY}
        """,
    ),
    Question(
        "steps",
        "ops.steps",
        """
        select step_number, step, status, unix_millis(started_at) as started_ms,
            unix_millis(finished_at) as finished_ms, seconds, concat_ws('; ', findings) as findings, error
        from ops.steps
        where run_id = {run}
        order by step_number
        """,
    ),
    Question(
        "steps_before",
        "ops.steps",
        f"""
        select run_id, step_number, step, status, seconds
        from ops.steps
        where run_id in ({_RECENT_RUNS})
        order by run_id, step_number
        """,
    ),
    Question(
        "nodes",
        "ops.dbt_results",
        """
        select node_id, node_name, kind, status, unix_millis(started_at) as started_ms,
            unix_millis(finished_at) as finished_ms, seconds, failures, message
        from ops.dbt_results
        where run_id = {run} and kind != 'exposure'
        order by seconds desc, node_id, invocation_id
        """,
    ),
    Question(
        "stages",
        "ops.stage_metrics",
        """
        select application_name, stage_id, name, seconds, tasks, cpu_seconds, gc_seconds, input_rows,
            shuffle_read_bytes, shuffle_write_bytes, spilled_bytes, peak_memory_bytes
        from ops.stage_metrics
        where run_id = {run}
        order by seconds desc, application_id, stage_id, attempt
        limit 10
        """,
    ),
    Question(
        "applications",
        "ops.stage_metrics",
        """
        select application_name, count(*) as stages, sum(tasks) as tasks, sum(failed_tasks) as failed_tasks,
            sum(run_seconds) as run_seconds, sum(cpu_seconds) as cpu_seconds, sum(gc_seconds) as gc_seconds,
            sum(input_rows) as input_rows, sum(output_rows) as output_rows, sum(shuffle_write_bytes) as shuffle_bytes,
            sum(spilled_bytes) as spilled_bytes
        from ops.stage_metrics
        where run_id = {run}
        group by application_name
        order by run_seconds desc, application_name
        """,
    ),
    Question(
        "resources",
        "ops.resources",
        """
        select resource, peak_memory_mb, cpu_seconds, used_share, used_bytes, capacity_bytes
        from ops.resources
        where run_id = {run}
        order by case when peak_memory_mb is null then 1 else 0 end, peak_memory_mb desc, resource
        """,
    ),
    Question(
        "alerts",
        "ops.alerts",
        """
        select alert_id, severity, kind, subject, rule, score, threshold, message, command, status,
            concat_ws(', ', channels) as channels, unix_millis(raised_at) as raised_ms
        from ops.alerts
        where run_id = {run}
        order by severity, kind, subject, rule, alert_id
        """,
        "No alert was raised.",
    ),
    Question(
        "publications",
        "ops.publications",
        """
        select publication_id, action, content_of, unix_millis(as_of) as as_of_ms,
            unix_millis(published_at) as published_ms, cardinality(marts) as marts
        from ops.publications
        order by published_at desc, publication_id
        """,
    ),
    Question(
        "scores",
        "ops.quality_metrics",
        """
        select layer, table_name, rule, dimension, severity, numerator, denominator, score, threshold, status, detail
        from ops.quality_metrics
        where run_id = {run} and dimension != 'distribution'
        order by table_name, rule
        """,
        "The run held no gate.",
    ),
    Question(
        "scores_before",
        "ops.quality_metrics",
        f"""
        select run_id, layer, table_name, dimension, score, threshold, status, unix_millis(measured_at) as measured_ms
        from ops.quality_metrics
        where rule = concat('table_', dimension)
            and run_id in (
                select run_id from ops.quality_metrics
                group by run_id
                order by max(measured_at) desc, run_id
                limit {HISTORY}
            )
        order by measured_at, run_id, table_name, dimension
        """,
    ),
    Question(
        "failing_rows",
        "ops.quality_failures",
        """
        select table_name, rule, row_key, reason, row_values
        from (
            select table_name, rule, row_key, reason, row_values,
                row_number() over (partition by table_name, rule order by row_key, reason, row_values) as place
            from ops.quality_failures
            where run_id = {run}
        ) as ranked
        where place <= 10
        order by table_name, rule, place
        """,
        "No row is kept that broke a rule.",
    ),
)

GOLD: tuple[Question, ...] = (
    Question(
        "genre_trends",
        "gold.genre_trends",
        f"""
        select genre_name, release_year, is_partial_year, total_movies, avg_rating, total_revenue
        from gold.genre_trends
        where release_year > (select max(release_year) - {YEARS} from gold.genre_trends)
        order by genre_name, genre_id, release_year
        """,
    ),
    Question(
        "market_share",
        "gold.genre_market_share",
        f"""
        select coalesce(genre_name, concat('genre ', cast(genre_id as string))) as genre_name, release_year,
            release_year >= (select year(max(computed_date)) from gold.genre_market_share) as is_partial_year,
            movie_share, revenue_share, split_movies
        from gold.genre_market_share
        where release_year > (select max(release_year) - {YEARS} from gold.genre_market_share)
        order by genre_name, genre_id, release_year
        """,
    ),
    Question(
        "genre_seasonality",
        "gold.genre_seasonality",
        """
        select coalesce(genre_name, concat('genre ', cast(genre_id as string))) as genre_name, release_month,
            total_movies, seasonality_index
        from gold.genre_seasonality
        order by genre_name, genre_id, release_month
        """,
    ),
    Question(
        "release_seasonality",
        "gold.release_seasonality",
        """
        select release_month, total_movies, seasonality_index, avg_rating, total_revenue, median_revenue, hit_rate
        from gold.release_seasonality
        order by release_month
        """,
    ),
    Question(
        "box_office",
        "gold.box_office_trends",
        f"""
        select cast(month_start_date as string) as month, release_year, is_partial_month, total_movies, total_revenue,
            rolling_12m_revenue, rolling_12m_growth, top_movie_title, top_movie_revenue
        from gold.box_office_trends
        where month_start_date > (
            select add_months(max(month_start_date), -{_BOX_OFFICE_MONTHS}) from gold.box_office_trends
        )
        order by month_start_date
        """,
    ),
    Question(
        "growth",
        "gold.yoy_growth",
        f"""
        select release_year, is_partial_year, total_movies, movies_growth, avg_rating, total_revenue, revenue_growth
        from gold.yoy_growth
        where release_year > (select max(release_year) - {YEARS} from gold.yoy_growth)
        order by release_year
        """,
    ),
    Question(
        "trending",
        "gold.trending_scores",
        """
        select trend_window, place, movie_id, title, trend_score, velocity, popularity_change, rating_momentum,
            last_popularity
        from (
            select *, row_number() over (partition by trend_window order by trend_score desc, movie_id) as place
            from gold.trending_scores
        ) as ranked
        where place <= 12
        order by trend_window, place
        """,
    ),
    Question(
        "directors",
        "gold.director_rankings",
        """
        select director_rank, person_id, person_name, total_movies, mean_weighted_rating, total_revenue, roi, hit_rate
        from gold.director_rankings
        order by director_rank
        limit 15
        """,
    ),
    Question(
        "studios",
        "gold.studio_rankings",
        """
        select studio_rank, company_id, company_name, total_movies, mean_weighted_rating, total_revenue, roi, hit_rate
        from gold.studio_rankings
        order by studio_rank
        limit 15
        """,
    ),
    Question(
        "best_movies",
        "gold.movie_performance",
        """
        select movie_id, title, release_year, primary_genre, weighted_rating, vote_count, revenue, roi
        from gold.movie_performance
        where weighted_rating is not null
        order by weighted_rating desc, vote_count desc, movie_id
        limit 15
        """,
    ),
    Question(
        "richest_movies",
        "gold.movie_performance",
        """
        select movie_id, title, release_year, primary_genre, weighted_rating, budget, revenue, roi
        from gold.movie_performance
        where revenue is not null
        order by revenue desc, movie_id
        limit 15
        """,
    ),
    Question(
        "correlations",
        "gold.performance_correlations",
        """
        select measures, scope, genre_name, decade, movies, pearson, spearman
        from gold.performance_correlations
        order by scope, decade, genre_name, genre_id, measures
        """,
    ),
    Question(
        "actors",
        "gold.actor_centrality",
        """
        select pagerank_rank, person_id, person_name, pagerank, betweenness, betweenness_rank, degree, total_movies,
            clustering_coefficient, concat_ws(', ', main_genres) as main_genres
        from gold.actor_centrality
        order by pagerank_rank
        limit 15
        """,
    ),
    Question(
        "communities",
        "gold.actor_communities",
        """
        select size_rank, community_id, community_name, actors, density, movies, first_year, last_year,
            concat_ws(', ', main_genres) as main_genres
        from gold.actor_communities
        order by size_rank
        limit 12
        """,
    ),
    Question(
        "evolution",
        "gold.network_evolution",
        """
        select period_kind, first_year, last_year, movies, actors, edges, giant_component_share, mean_degree,
            clustering, communities, turnover
        from gold.network_evolution
        order by period_kind, first_year, last_year
        """,
    ),
    Question(
        "dates",
        "gold.movie_performance",
        "select cast(max(computed_date) as string) as computed_date, count(*) as movies from gold.movie_performance",
    ),
)
