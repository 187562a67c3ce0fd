"""A tiny lake without a fault: a few rows of every table that a suite is about, as temporary views.

A view costs nothing to make, so a defect is planted by making another one in its place (`planted`): `view` is what the
gate is given to find tables by. Add a table by adding it to `TABLES`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AS_OF = datetime(2026, 1, 15, 6, tzinfo=UTC)
"""When the lake was ingested; its gate runs minutes later."""
MEASURED_AT = datetime(2026, 1, 15, 6, 30, tzinfo=UTC)
MOVIES = 60
NUMBERS = range(1, MOVIES + 1)


@dataclass(frozen=True)
class Small:
    """A table: its columns with their types, and its rows, each the SQL of its values in the order of the columns."""

    columns: str
    rows: Sequence[str]


def view(table: str) -> str:
    """The temporary view that stands for a table."""
    return table.replace(".", "__")


def instant(day: int, minute: int = 0) -> str:
    """An instant of January 2026 as SQL."""
    return f"timestamp '2026-01-{day:02} 06:{minute:02}:00'"


def payload(number: int, day: int) -> str:
    return json.dumps({"id": number, "title": f"Title {number}", "seen": day})


def sha256(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()


def genre(number: int) -> tuple[int, str]:
    return [(18, "Drama"), (28, "Action"), (35, "Comedy")][number % 3]


def observations() -> Iterator[tuple[int, int]]:
    """(movie, day): each movie is seen on two days."""
    yield from ((number, day) for number in NUMBERS for day in (14, 15))


def silver_movie(number: int) -> str:
    score, category = [("0.5D", "positive"), ("-0.05D", "negative"), ("0.04D", "neutral")][number % 3]
    director = f"Director {number % 5}"
    return (
        f"'{number}', 'Title {number}', 'Title {number}', 'A story.', date '2020-05-17', 2020, 5, "
        f"array('{genre(number)[1]}'), '{genre(number)[1]}', {5 + number % 4}.5D, 110, 12.5D, 300000, 100000, 200000, "
        f"2.0D, 90, {score}, '{category}', '{director}', array('{director}'), array('Actor 1'), "
        f"'{'fr' if number % 2 else 'en'}', 'Released', {instant(15)}, {instant(15)}"
    )


def _bronze() -> dict[str, Small]:
    return {
        "bronze.movies": Small(
            "movie_id string, payload string, payload_sha256 string, endpoint string, source string, "
            "observed_at timestamp, ingested_at timestamp, batch_id string, year int, month int, day int, "
            "content_sha256 string, etag string",
            [
                f"'{number}', '{payload(number, day)}', '{sha256(payload(number, day))}', 'movie_details', 'api', "
                f"{instant(day)}, {instant(day)}, 'batch-{day}', 2026, 1, {day}, '{sha256(str(number))}', null"
                for number, day in observations()
            ],
        ),
        "bronze.batches": Small(
            "batch_id string, source string, endpoint string, requested bigint, landed bigint, unchanged bigint, "
            "quarantined bigint, duplicates bigint, missing bigint, started_at timestamp, finished_at timestamp, "
            "status string, as_of timestamp",
            [
                f"'batch-{day}', 'api', 'movie_details', {MOVIES + refused}, {MOVIES}, 0, {refused}, 0, null, "
                f"{instant(day, 1)}, {instant(day, 9)}, 'succeeded', {instant(day)}"
                for day, refused in ((14, 1), (15, 0))
            ],
        ),
        "bronze.quarantine": Small(
            "quarantine_id string, raw string, reason string, detail string, source string, batch_id string, "
            "ingested_at timestamp, replayed_at timestamp",
            [f"'q1', '{{', 'invalid_json', 'line 7: cut off', 'api', 'batch-14', {instant(14)}, null"],
        ),
        "bronze.fields": Small(
            "batch_id string, source string, endpoint string, path string, present bigint, nulls bigint, "
            "empties bigint, types map<string, bigint>, sampled_records bigint",
            [f"'batch-{day}', 'api', 'movie_details', 'title', 60, 1, 2, map('text', 59L), 60" for day in (14, 15)],
        ),
        "bronze.requested_movies": Small(
            "batch_id string, position bigint, movie_id bigint",
            [f"'batch-15', {number - 1}, {number}" for number in NUMBERS],
        ),
    }


def _said(kind: str) -> str:
    return f"struct<observed_at: timestamp, payload_sha256: string, value: {kind}>"


def _silver_movies() -> dict[str, Small]:
    return {
        "silver.movies": Small(
            "movie_id string, title string, clean_title string, overview string, release_date date, "
            "release_year int, release_month int, genres array<string>, primary_genre string, rating double, "
            "vote_count bigint, popularity_score double, revenue bigint, budget bigint, profit bigint, roi double, "
            "runtime int, sentiment_score double, sentiment_category string, director string, "
            "directors array<string>, top_cast array<string>, original_language string, status string, "
            "observed_at timestamp, processing_timestamp timestamp",
            [silver_movie(number) for number in NUMBERS],
        ),
        "silver.movie_records": Small(
            f"movie_id string, observed_at timestamp, ingested_at timestamp, title {_said('string')}, "
            f"overview {_said('string')}, release_date {_said('date')}, genres {_said('array<bigint>')}, "
            f"rating {_said('double')}, vote_count {_said('bigint')}, revenue {_said('bigint')}",
            [
                f"'{number}', {instant(15)}, {instant(15)}, struct({instant(15)}, 'a', 'Title {number}'), "
                f"struct({instant(14)}, 'a', 'A story.'), struct({instant(14)}, 'a', date '2020-05-17'), "
                f"struct({instant(14)}, 'a', array(18L)), struct({instant(15)}, 'a', 5.5D), "
                f"struct({instant(15)}, 'a', 110L), null"
                for number in NUMBERS
            ],
        ),
        "silver.movie_observations": Small(
            "observation_id string, movie_id string, observed_at timestamp, payload_sha256 string, "
            "popularity double, rating double, vote_count bigint, revenue bigint, ingested_at timestamp",
            [
                f"'{number}-{day}', '{number}', {instant(day)}, '{sha256(payload(number, day))}', 12.5D, 5.5D, "
                f"{100 + 10 * (day - 14)}, 300000, {instant(day)}"
                for number, day in observations()
            ],
        ),
        "silver.movies_history": Small(
            "movie_id string, title string, dbt_scd_id string, dbt_valid_from timestamp, dbt_valid_to timestamp",
            [
                f"'{number}', 'Title {number}', '{number}-{day}', {instant(day)}, "
                f"{instant(15) if day == 14 else 'null'}"
                for number, day in observations()
            ],
        ),
        "silver.reviews": Small(
            "movie_review_id string, movie_id string, review_id string, author string, author_rating double, "
            "content string, created_at timestamp, updated_at timestamp, sentiment_score double, "
            "sentiment_category string",
            [
                f"'{number}-r', '{number}', 'r', 'Ann', 8, 'Good.', {instant(1)}, {instant(2)}, 0.4404D, 'positive'"
                for number in NUMBERS
            ],
        ),
        "silver.as_of": Small("as_of_at timestamp", [instant(15)]),
        "silver.cast_failures": Small(
            "field_name string, batch_id string, failed_observations bigint, example_observation_id string",
            ["'budget', 'batch-14', 1, '1-14'"],
        ),
    }


def _silver_lists() -> dict[str, Small]:
    return {
        "silver.genres": Small(
            "genre_id bigint, genre_name string", [f"{key}, '{name}'" for key, name in map(genre, range(3))]
        ),
        "silver.companies": Small("company_id bigint, company_name string", ["7, 'Pictures'"]),
        "silver.keywords": Small("keyword_id bigint, keyword_name string", ["8, 'sea'"]),
        "silver.people": Small(
            "person_id bigint, person_name string, gender int, known_for_department string",
            ["1, 'Actor 1', 2, 'Acting'", *(f"{100 + n}, 'Director {n}', 1, 'Directing'" for n in range(5))],
        ),
        "silver.movie_genres": Small(
            "movie_genre_id string, movie_id string, genre_id bigint, genre_name string, position int",
            [f"'{n}-{genre(n)[0]}', '{n}', {genre(n)[0]}, '{genre(n)[1]}', 0" for n in NUMBERS],
        ),
        "silver.movie_companies": Small(
            "movie_company_id string, movie_id string, company_id bigint, position int",
            [f"'{n}-7', '{n}', 7, 0" for n in NUMBERS],
        ),
        "silver.movie_keywords": Small(
            "movie_keyword_id string, movie_id string, keyword_id bigint, position int",
            [f"'{n}-8', '{n}', 8, 0" for n in NUMBERS],
        ),
        "silver.cast_members": Small(
            "cast_member_id string, movie_id string, person_id bigint, character string, billing_order int, "
            "credit_id string",
            [f"'{n}-a{n}', '{n}', 1, 'Clerk', 0, 'a{n}'" for n in NUMBERS],
        ),
        "silver.crew_members": Small(
            "crew_member_id string, movie_id string, person_id bigint, department string, job string, credit_id string",
            [f"'{n}-b{n}', '{n}', {100 + n % 5}, 'Directing', 'Director', 'b{n}'" for n in NUMBERS],
        ),
    }


TABLES: dict[str, Small] = {**_bronze(), **_silver_movies(), **_silver_lists()}


def make(spark: "SparkSession", tables: Mapping[str, Small] = TABLES) -> None:
    """Make the views."""
    for name, small in tables.items():
        write(spark, name, small)


def write(spark: "SparkSession", name: str, small: Small) -> None:
    """Make the view of one table."""
    empty = spark.createDataFrame([], small.columns)
    if not small.rows:
        empty.createOrReplaceTempView(view(name))
        return
    values = ", ".join(f"({row})" for row in small.rows)
    typed = [f"cast({field.name} as {field.dataType.simpleString()}) as {field.name}" for field in empty.schema]
    frame = spark.sql(f"select * from values {values} as t({', '.join(empty.columns)})").selectExpr(*typed)
    # read once, so that a view of it is a view of rows that are there
    spark.createDataFrame(frame.collect(), empty.schema).createOrReplaceTempView(view(name))


@contextmanager
def planted(spark: "SparkSession", table: str, select: str) -> Iterator[None]:
    """Put a changed table in the place of one, e.g. `select * except (a), 1 as a from {table}`; and take it away again.

    `{table}` stands for the table without the defect.
    """
    whole = f"{view(table)}__whole"
    spark.table(view(table)).createOrReplaceTempView(whole)
    spark.sql(select.format(table=whole)).createOrReplaceTempView(view(table))
    try:
        yield
    finally:
        spark.table(whole).createOrReplaceTempView(view(table))
