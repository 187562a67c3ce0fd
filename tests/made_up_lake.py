"""A lake that never was, for the tests of the report: `ops` and `gold` in DuckDB, with the columns of Spark's.

The tables are made from their declarations (lakehouse.ops.schema, the contracts of the marts), so a question that names
a column that is not there fails here too. Its SQL is translated from Spark's.
"""

import math
import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
import yaml
from sqlglot import exp

from lakehouse.hive import Answer
from lakehouse.ops.schema import TABLES
from tests.instance import ROOT

Row = dict[str, Any]

GENRES = (
    "Drama", "Comedy", "Thriller", "Action", "Romance", "Horror", "Documentary", "Adventure", "Crime",
    "Science Fiction", "Animation", "Family", "Fantasy", "Mystery", "Music", "History", "War", "TV Movie", "Western",
)  # fmt: skip
HOSTILE = "<script>alert('x')</script> & \"Sons\""
FIRST_RUN = datetime(2026, 11, 14, 4, 0, tzinfo=UTC)
LAST_YEAR = 2026
_STEPS = (
    ("ingest", 62), ("silver", 96), ("gate", 21), ("graph", 48), ("gold", 74), ("audit", 19), ("publish", 4),
    ("export", 12),
)  # fmt: skip
_TABLES = {
    "bronze": ("bronze.movies",),
    "silver": ("silver.cast_members", "silver.companies", "silver.movies", "silver.people", "silver.reviews"),
    "gold": ("gold.box_office_trends", "gold.genre_analytics", "gold.movie_performance", "gold.trending_scores"),
}
_BOUNDS = {"completeness": 0.95, "consistency": 0.98, "accuracy": 0.98}


@cache
def contracts() -> dict[str, dict[str, str]]:
    """The columns of every mart and their Spark types, by the mart's name."""
    found = {}
    for path in sorted((ROOT / "dbt_project" / "models" / "gold").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            found[model["name"]] = {column["name"]: column["data_type"] for column in model["columns"]}
    return found


class MadeUpLake:
    """Answers the report's questions as the Thrift server would.

    Args:
        tables: rows by `schema.table`; a table with none is there and empty.
    """

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self._database = duckdb.connect()
        self._database.execute("set timezone = 'UTC'")
        self._tables = set(tables)
        kinds = {table.full_name: {column.name: column.kind for column in table.columns} for table in TABLES}
        kinds |= {f"gold.{mart}": columns for mart, columns in contracts().items()}
        for schema in ("ops", "gold"):
            self._database.execute(f"create schema {schema}")
        for name, rows in tables.items():
            columns = ", ".join(f"`{column}` {kind}" for column, kind in kinds[name].items())
            self._run(f"create table {name} ({columns})")
            if rows:
                self._database.register("rows", pa.Table.from_pylist(rows))
                self._database.execute(f"insert into {name} by name select * from rows")
                self._database.unregister("rows")

    def __call__(self, sql: str) -> Answer:
        """Answer one statement."""
        if sql == "show databases":
            return Answer(
                ["namespace"], [(schema,) for schema in sorted({name.split(".")[0] for name in self._tables})]
            )
        if sql.startswith("show tables in "):
            schema = sql.removeprefix("show tables in ")
            names = sorted(name.split(".")[1] for name in self._tables if name.startswith(f"{schema}."))
            return Answer(["namespace", "tableName", "isTemporary"], [(schema, name, False) for name in names])
        cursor = self._run(sql)
        return Answer([column[0] for column in cursor.description or []], cursor.fetchall())

    def _run(self, sql: str) -> "duckdb.DuckDBPyConnection":
        translated = sqlglot.parse_one(sql, read="spark").transform(_as_duckdb).sql(dialect="duckdb")
        return self._database.execute(translated)


def _as_duckdb(node: exp.Expression) -> exp.Expression:
    """What sqlglot does not translate by itself: instants as milliseconds, and lists joined."""
    if isinstance(node, exp.UnixMillis):
        return exp.Anonymous(this="epoch_ms", expressions=[node.this])
    if isinstance(node, exp.ConcatWs):
        separator, joined = node.expressions
        return exp.Anonymous(this="array_to_string", expressions=[joined, separator])
    return node


def good_lake(runs: int = 14) -> MadeUpLake:
    """A lake after so many cycles, the last of which went well."""
    return MadeUpLake(ops(runs) | gold())


def failed_lake() -> MadeUpLake:
    """The same after one more cycle, which Gold's audit ended."""
    return MadeUpLake(ops(15, fails="audit") | gold())


def empty_lake() -> MadeUpLake:
    """A lake whose tables hold nothing."""
    return MadeUpLake(
        {name: [] for name in (*(table.full_name for table in TABLES), *(f"gold.{m}" for m in contracts()))}
    )


def bare_lake() -> MadeUpLake:
    """A lake without any of the tables."""
    return MadeUpLake({})


def ops(runs: int, fails: str = "") -> dict[str, list[Row]]:
    """The rows of `ops` after so many daily cycles; the last one fails in the step `fails`."""
    made: dict[str, list[Row]] = {table.full_name: [] for table in TABLES}
    chance = random.Random(8)
    for number in range(runs):
        started = FIRST_RUN + timedelta(days=number, minutes=chance.randrange(50))
        run_id = f"api-changes-{started:%Y-%m-%d}"
        ending = fails if number == runs - 1 else ("graph" if number == 6 else "")
        _run(made, chance, run_id, started, ending, number)
    at = FIRST_RUN + timedelta(days=runs - 1, hours=4)
    made["ops.runs"].append(_run_row("gate-by-hand", "gate", at, 24.0, ""))
    return made


def _run(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, started: datetime, ending: str, number: int
) -> None:
    at = started
    for place, (step, usual) in enumerate(_STEPS, 1):
        spent = usual * chance.uniform(0.85, 1.2) * (1 + number / 60)
        is_end = step == ending
        made["ops.steps"].append(
            {
                "run_id": run_id,
                "step_number": place,
                "step": step,
                "status": "failed" if is_end else "succeeded",
                "started_at": at,
                "finished_at": at + timedelta(seconds=spent),
                "seconds": spent,
                "findings": [] if is_end else [f"{chance.randrange(200, 9000):,} records", "nothing new"],
                "error": "Gold does not reach its thresholds." if is_end else None,
            }
        )
        if step in ("silver", "gold"):
            _nodes(made, chance, run_id, step, at, spent)
        at += timedelta(seconds=spent)
        if is_end:
            break
    row = _run_row(run_id, "run", started, (at - started).total_seconds(), ending)
    made["ops.runs"].append(row)
    _scores(made, chance, run_id, at, ending, number)
    _used(made, chance, run_id, at)
    if not ending:
        made["ops.publications"].append(
            {
                "publication_id": run_id,
                "action": "publish",
                "content_of": run_id,
                "as_of": started.replace(hour=0, minute=0),
                "published_at": at - timedelta(seconds=12),
                "marts": dict.fromkeys(list(contracts())[1:], at),
            }
        )


def _run_row(run_id: str, kind: str, started: datetime, spent: float, ending: str) -> Row:
    return {
        "run_id": run_id,
        "kind": kind,
        "status": "failed" if ending else "succeeded",
        "started_at": started,
        "finished_at": started + timedelta(seconds=spent),
        "seconds": spent,
        "as_of": started.replace(hour=0, minute=0),
        "error": f"gold.movie_performance: consistency 0.9712 is below 0.98 (profit_is_revenue_less_budget), {ending}."
        if ending
        else None,
        "next_step": "Look at the rows with `lakehouse gate --failures gold.movie_performance`, then run again."
        if ending
        else None,
        "host": "lakehouse-1",
        "cores": 2,
        "arguments": "{}",
    }


def _nodes(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, step: str, at: datetime, spent: float
) -> None:
    names = (
        [*contracts()]
        if step == "gold"
        else ["movie_records", "movies", "people", "cast_members", "crew_members", "reviews"]
    )
    clock = at
    for name in names:
        took = chance.lognormvariate(0.4, 0.8) * spent / 74
        clock += timedelta(seconds=took / 2)
        made["ops.dbt_results"].append(
            _node(run_id, step, f"model.tmdb_lakehouse.{name}", name, "model", "success", clock, took)
        )
        test = f"not_null_{name}_id"
        made["ops.dbt_results"].append(
            _node(
                run_id, step, f"test.tmdb_lakehouse.{test}", test, "test", "pass", clock + timedelta(seconds=took), 0.3
            )
        )
    test = "relationships_cast_members_person_id__person_id__ref_people_"
    made["ops.dbt_results"].append(
        _node(run_id, step, f"test.tmdb_lakehouse.{test}", test, "test", "warn", clock, 2.5, 3)
    )


def _node(
    run_id: str,
    step: str,
    node_id: str,
    name: str,
    kind: str,
    status: str,
    at: datetime,
    took: float,
    failures: int = 0,
) -> Row:
    return {
        "run_id": run_id,
        "invocation_id": f"{run_id}-{step}",
        "node_id": node_id,
        "node_name": name,
        "kind": kind,
        "status": status,
        "started_at": at,
        "finished_at": at + timedelta(seconds=took),
        "seconds": took,
        "thread": "Thread-1",
        "failures": failures,
        "message": f"Got {failures} results, configured to warn if != 0" if failures else "OK",
    }


def _scores(
    made: dict[str, list[Row]], chance: random.Random, run_id: str, at: datetime, ending: str, number: int
) -> None:
    for layer, tables in _TABLES.items():
        for table in tables:
            for dimension, bound in _BOUNDS.items():
                whole = chance.randrange(4000, 90000)
                value = 1 - abs(chance.gauss(0, (1 - bound) / 4))
                if table == "silver.movies" and dimension == "completeness":
                    value = 0.962 + 0.004 * math.sin(number)
                is_low = ending == "audit" and table == "gold.movie_performance" and dimension == "consistency"
                value = 0.9712 if is_low else max(value, bound)
                rule = "profit_is_revenue_less_budget" if is_low else f"{dimension}_holds"
                for name, of in ((f"table_{dimension}", value), (rule, value)):
                    made["ops.quality_metrics"].append(
                        _score(
                            run_id,
                            layer,
                            table,
                            name,
                            dimension,
                            "critical",
                            of,
                            whole,
                            bound,
                            at,
                            "fail" if is_low else "pass",
                        )
                    )
        made["ops.quality_metrics"].append(
            _score(run_id, layer, tables[0], "volume_is_usual", "volume", "warning", 4.6, None, 4.0, at, "warn")
            if layer == "silver" and number % 3 == 1
            else _score(run_id, layer, tables[0], "volume_is_usual", "volume", "warning", 0.7, None, 4.0, at, "pass")
        )
    for key, reason in (
        ("603", "the profit is not revenue less budget"),
        (f"604|{HOSTILE}", "the title is missing or blank"),
    ):
        made["ops.quality_failures"].append(
            {
                "run_id": run_id,
                "layer": "gold",
                "table_name": "gold.movie_performance",
                "rule": "profit_is_revenue_less_budget",
                "row_key": key,
                "reason": reason,
                "row_values": '{"movie_id": "603", "profit": 1, "revenue": 463517383, "budget": 63000000}',
                "measured_at": at,
            }
        )
    for severity, rule, score, bound in (
        ("critical", "profit_is_revenue_less_budget", 0.9712, 0.98),
        ("warning", "", 0.84, 0.8),
    ):
        if severity == "warning" or ending == "audit":
            made["ops.alerts"].append(
                {
                    "alert_id": f"{run_id}-{severity}",
                    "run_id": run_id,
                    "severity": severity,
                    "kind": "gate" if rule else "storage",
                    "subject": "gold.movie_performance" if rule else "hdfs",
                    "rule": rule,
                    "score": score,
                    "threshold": bound,
                    "message": "28 of 972 rows break the rule." if rule else "HDFS is 84 % full.",
                    "command": "lakehouse gate --failures gold.movie_performance" if rule else "lakehouse hdfs -df -h",
                    "status": "sent" if rule else "waiting",
                    "channels": ["slack", "mail"] if rule else [],
                    "raised_at": at,
                }
            )


def _score(
    run_id: str, layer: str, table: str, rule: str, dimension: str, severity: str, value: float, whole: int | None,
    bound: float, at: datetime, status: str,
) -> Row:  # fmt: skip
    return {
        "run_id": run_id,
        "layer": layer,
        "table_name": table,
        "rule": rule,
        "dimension": dimension,
        "severity": severity,
        "numerator": None if whole is None else round(whole * value),
        "denominator": whole,
        "score": value,
        "threshold": bound,
        "status": status,
        "detail": "" if status == "pass" else "5,012 rows, of 4,100 to 4,300 in the runs before",
        "measured_at": at,
        "as_of": at,
    }


def _used(made: dict[str, list[Row]], chance: random.Random, run_id: str, at: datetime) -> None:
    for name, memory in (
        ("thrift", 3100),
        ("cycle", 1850),
        ("namenode", 240),
        ("datanode", 210),
        ("metastore", 330),
        ("mongo", 610),
    ):
        made["ops.resources"].append(
            {"run_id": run_id, "resource": name, "measured_at": at, "peak_memory_mb": memory * chance.uniform(0.9, 1.1),
             "cpu_seconds": memory / 9, "used_share": None, "used_bytes": None, "capacity_bytes": None}
        )  # fmt: skip
    for name, used, whole in (("machine", 0.71, 2**34), ("disk", 0.46, 2**38), ("hdfs", 0.84, 2**37)):
        made["ops.resources"].append(
            {"run_id": run_id, "resource": name, "measured_at": at, "peak_memory_mb": None, "cpu_seconds": None,
             "used_share": used, "used_bytes": int(used * whole), "capacity_bytes": whole}
        )  # fmt: skip
    for stage in range(24):
        spent = chance.lognormvariate(0, 1)
        made["ops.stage_metrics"].append(
            {
                "run_id": run_id,
                "application_id": f"local-{run_id}",
                "application_name": ("cycle", "thrift")[stage % 2],
                "stage_id": stage,
                "attempt": 0,
                "name": "collect at /project/graph_jobs/arrays.py:118"
                if stage % 2
                else "run at AccessController.java:0",
                "status": "succeeded",
                "submitted_at": at,
                "completed_at": at,
                "seconds": spent,
                "tasks": 4,
                "failed_tasks": 0,
                "run_seconds": spent * 1.8,
                "cpu_seconds": spent * 1.5,
                "gc_seconds": spent / 20,
                "input_rows": chance.randrange(1_000_000),
                "input_bytes": chance.randrange(10**8),
                "output_rows": chance.randrange(10**5),
                "output_bytes": chance.randrange(10**7),
                "shuffle_read_bytes": chance.randrange(10**7),
                "shuffle_write_bytes": chance.randrange(10**7),
                "spilled_bytes": 0,
                "peak_memory_bytes": chance.randrange(10**8),
            }
        )


def gold() -> dict[str, list[Row]]:
    """The rows of every mart that the report reads."""
    chance = random.Random(9)
    made: dict[str, list[Row]] = {f"gold.{mart}": [] for mart in contracts()}
    _genres(made, chance)
    _time(made, chance)
    _movies(made, chance)
    _people(made, chance)
    return made


def _years() -> Iterable[int]:
    return range(1985, LAST_YEAR + 1)


def _genres(made: dict[str, list[Row]], chance: random.Random) -> None:
    for place, genre in enumerate(GENRES):
        for year in _years():
            movies = max(0, round((40 - 2 * place) * (1 + (year - 1985) / 30) * chance.uniform(0.8, 1.2)))
            is_partial = year == LAST_YEAR
            made["gold.genre_trends"].append(
                {
                    "genre_id": place,
                    "genre_name": genre,
                    "release_year": year,
                    "is_partial_year": is_partial,
                    "total_movies": movies // 2 if is_partial else movies,
                    "avg_rating": 6.1 + chance.gauss(0, 0.18) + place / 60,
                    "total_revenue": movies * 40_000_000,
                }
            )
            made["gold.genre_market_share"].append(
                {
                    "genre_id": place,
                    "genre_name": genre if place else None,
                    "release_year": year,
                    "split_movies": (20 - place) * 1.5,
                    "movie_share": _share(place, year),
                    "revenue_share": _share(place, year * 3) if year > 1990 else None,
                }
            )
        for month in range(1, 13):
            index = 1 + 0.45 * math.sin((month + 3 * place) / 12 * 2 * math.pi) * (place % 4) / 3
            made["gold.genre_seasonality"].append(
                {"genre_id": place, "genre_name": genre, "release_month": month, "total_movies": 90 - place * 3,
                 "seasonality_index": index}
            )  # fmt: skip
    for scope, groups in (("overall", [None]), ("genre", list(GENRES)), ("decade", list(range(1960, 2030, 10)))):
        for group in groups:
            for measures in ("budget_revenue", "rating_revenue", "sentiment_rating", "popularity_rating"):
                center = {"budget_revenue": 0.7, "rating_revenue": 0.25, "sentiment_rating": -0.05}.get(measures, 0.4)
                value = max(-1.0, min(1.0, center + chance.gauss(0, 0.15)))
                made["gold.performance_correlations"].append(
                    {
                        "measures": measures,
                        "scope": scope,
                        "genre_id": GENRES.index(str(group)) if scope == "genre" else None,
                        "genre_name": group if scope == "genre" else None,
                        "decade": group if scope == "decade" else None,
                        "movies": 4 if group == "Western" else 240,
                        "pearson": value * 0.9,
                        "spearman": value,
                    }
                )


def _share(place: int, year: int) -> float:
    weights = [(20 - other) * (1.2 + math.sin(year / 5 + other)) for other in range(len(GENRES))]
    return weights[place] / sum(weights)


def _time(made: dict[str, list[Row]], chance: random.Random) -> None:
    for month in range(1, 13):
        made["gold.release_seasonality"].append(
            {"release_month": month, "total_movies": 380 + 90 * (month in (9, 10, 12)) + month,
             "seasonality_index": 1.0 + month / 100,
             "avg_rating": 6.2, "total_revenue": 9 * 10**9,
             "median_revenue": 2e7 * (1 + (month in (6, 7, 12))), "hit_rate": 0.42}
        )  # fmt: skip
    past: list[int] = []
    for year in _years():
        made["gold.yoy_growth"].append(
            {"release_year": year, "is_partial_year": year == LAST_YEAR, "total_movies": 100 + 4 * (year - 1985),
             "movies_growth": 0.03, "avg_rating": 6.3, "total_revenue": 10**9 * (year - 1980), "revenue_growth": 0.04}
        )  # fmt: skip
        for month in range(1, 13):
            if (year, month) > (LAST_YEAR, 11):
                break
            slump = 0.25 if year == 2020 and month > 3 else 1
            past.append(int(slump * chance.lognormvariate(20.4, 0.5) * (1.6 if month in (6, 7, 12) else 1)))
            rolling = sum(past[-12:]) if len(past) >= 12 else None
            before = sum(past[-24:-12]) if len(past) >= 24 else None
            made["gold.box_office_trends"].append(
                {
                    "month_start_date": date(year, month, 1),
                    "release_year": year,
                    "is_partial_month": (year, month) == (LAST_YEAR, 11),
                    "total_movies": 30 + month,
                    "total_revenue": past[-1],
                    "rolling_12m_revenue": rolling,
                    "rolling_12m_growth": rolling / before - 1 if rolling and before else None,
                    "top_movie_title": f"The Summer of {year}",
                    "top_movie_revenue": past[-1] // 2,
                }
            )
    for kind, first, last in (
        *(("window", year - 4, year) for year in range(1940, LAST_YEAR + 1)),
        *(("decade", year, year + 9) for year in range(1940, LAST_YEAR, 10)),
    ):
        made["gold.network_evolution"].append(
            {
                "period_kind": kind,
                "first_year": first,
                "last_year": last,
                "movies": 4 * (last - 1930),
                "actors": 22 * (last - 1930) + chance.randrange(90),
                "edges": 190 * (last - 1930),
                "giant_component_share": min(0.97, 0.3 + (last - 1940) / 110),
                "mean_degree": 8.5 + chance.random() + (last - 1940) / 60,
                "clustering": 0.8 - (last - 1940) / 300,
                "communities": 3 * (last - 1930),
                "turnover": None if last == 1940 else 0.6,
            }
        )


def _title(chance: random.Random) -> str:
    first = chance.choice(("The Last", "A Quiet", "Midnight", "Return of the", "Beyond the", "Letters from a"))
    return f"{first} {chance.choice(('Harbour', 'Winter', 'Detective', 'Garden', 'Astronaut', 'Republic of Glass'))}"


def _movies(made: dict[str, list[Row]], chance: random.Random) -> None:
    for number in range(400):
        budget = int(chance.lognormvariate(17, 1))
        revenue = int(budget * chance.lognormvariate(0.7, 0.8)) if number % 3 else None
        title = HOSTILE if number == 0 else _title(chance)
        if number == 1:
            title = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb, the Director's Cut"
        made["gold.movie_performance"].append(
            {
                "movie_id": str(number),
                "title": title,
                "release_year": None if number == 5 else 1985 + number % 41,
                "primary_genre": GENRES[number % 19],
                "weighted_rating": 8.6 - number / 90 if number != 7 else None,
                "vote_count": 30_000 - 40 * number,
                "budget": budget,
                "revenue": 2_923_706_026 if number == 1 else revenue,
                "roi": None if revenue is None else revenue / budget - 1,
                "computed_date": date(2026, 11, 26),
            }
        )
        for window in ("7d", "30d", "90d"):
            made["gold.trending_scores"].append(
                {
                    "movie_id": str(number),
                    "title": title,
                    "trend_window": window,
                    "trend_score": 99.4 - number * 0.21 - len(window),
                    "velocity": 0.2 / (number + 1),
                    "popularity_change": 3 / (number + 1),
                    "rating_momentum": 0.01,
                    "last_popularity": 120.0 / (number + 1),
                }
            )


def _people(made: dict[str, list[Row]], chance: random.Random) -> None:
    first = ("Ana", "Jean-Pierre", "Wanda", "Li", "Olu", "Greta", "Tom", "Isabella", "Nam", "Yara")
    last = (
        "Castellanos",
        "Ng",
        "de la Fontaine",
        "Kowalczyk",
        "Adeyemi",
        "Lund",
        "O'Neill",
        "Park",
        "Ivanova",
        "Silva",
    )

    def name(number: int) -> str:
        return f"{first[number % 10]} {last[(number // 10 + number) % 10]}"

    ranked: tuple[tuple[str, str, str, str, Callable[[int], str]], ...] = (
        ("director_rankings", "director_rank", "person_id", "person_name", name),
        (
            "studio_rankings",
            "studio_rank",
            "company_id",
            "company_name",
            lambda number: f"{last[number % 10]} Pictures",
        ),
    )
    for mart, rank, key, label, called in ranked:
        for number in range(1, 31):
            made[f"gold.{mart}"].append(
                {
                    rank: number,
                    key: number,
                    label: called(number),
                    "total_movies": 4 + number % 9,
                    "mean_weighted_rating": 7.9 - number / 30,
                    "total_revenue": int(10**9 * chance.uniform(0.05, 6)),
                    "roi": chance.uniform(-0.2, 5),
                    "hit_rate": chance.random(),
                }
            )
    for number in range(1, 41):
        made["gold.actor_centrality"].append(
            {
                "pagerank_rank": number,
                "person_id": number,
                "person_name": name(number),
                "pagerank": 0.0011 / (1 + number / 9),
                "betweenness": 0.02 / number,
                "betweenness_rank": number,
                "degree": 410 - 5 * number,
                "total_movies": 60 - number,
                "clustering_coefficient": 0.2,
                "main_genres": ["Drama", "Comedy"],
            }
        )
        made["gold.actor_communities"].append(
            {
                "size_rank": number,
                "community_id": number,
                "community_name": ", ".join(name(number + step) for step in range(3)),
                "actors": 900 // number,
                "density": 0.02 * number,
                "movies": 300 // number,
                "first_year": 1950 + number,
                "last_year": 2026,
                "main_genres": ["Drama"],
            }
        )
