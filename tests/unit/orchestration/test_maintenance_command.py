import io
from datetime import UTC, date, datetime

import pytest
from rich.console import Console
from rich.table import Table

from ingestion.maintenance import BronzeMaintained
from ingestion.retention import Expired, Partition, RetentionPlan
from lakehouse.errors import ConfigurationError
from lakehouse.upkeep import Maintained
from orchestration.maintenance_command import (
    maintain,
    read_line,
    report,
    retention_report,
    retention_sentence,
    sentence,
)


def lines_of(shown: Table) -> list[str]:
    screen = Console(file=io.StringIO(), width=140)
    screen.print(shown)
    assert isinstance(screen.file, io.StringIO)
    return [" ".join(line.split()) for line in screen.file.getvalue().splitlines()]


def test_a_line_of_the_log_tells_of_a_table_that_begins_or_is_done_or_of_something_else() -> None:
    assert read_line('lakehouse.maintain {"table": "silver.movies"}') == "silver.movies"
    assert read_line(
        'lakehouse.maintain {"table": "silver.movies", "files_before": 3, "files_after": 1, "done": ["optimized"], '
        '"seconds": 1.5}'
    ) == Maintained("silver.movies", 3, 1, ("optimized",), 1.5)
    assert read_line("silver.movies: nothing to do") is None


def test_an_error_of_a_setting_is_told_without_the_macros_that_found_it() -> None:
    error = """Runtime Error
  Compilation Error in macro maintain (macros/maintenance.sql)
    movies: meta.maintenance.optimize must be true or false, not often.

    > in macro maintenance_settings (macros/maintenance.sql)
    > called by macro maintain (macros/maintenance.sql)"""
    assert sentence(error) == "movies: meta.maintenance.optimize must be true or false, not often."


def test_an_error_of_spark_is_told_in_sparks_own_words() -> None:
    error = """Runtime Error
  Database Error
    Error operating EXECUTE_STATEMENT: [DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Files were added by another commit.
    \tat org.apache.spark.sql.delta.ConflictChecker"""
    assert sentence(error) == "[DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Files were added by another commit."
    assert sentence("") == "unknown"


def test_the_report_counts_files_and_names_what_was_done() -> None:
    found = [
        Maintained("gold.actor_centrality", None, None, ("not built yet",), 0.1),
        Maintained("silver.movies", 7, 1, ("optimized", "deleted old files: 12"), 2.25),
        Maintained("silver.people", 2, 2, (), 1.0),
    ]
    lines = lines_of(report(found))
    assert "gold.actor_centrality not built yet 0.1" in lines
    assert "silver.movies 7 1 optimized, deleted old files: 12 2.2" in lines
    assert "silver.people 2 2 nothing to do 1.0" in lines
    assert "in all 9 3 3.4" in lines


def plan(*partitions: Expired, replayed: int = 0, plans: int = 0) -> RetentionPlan:
    return RetentionPlan(date(2024, 1, 30), datetime(2025, 12, 30, tzinfo=UTC), partitions, replayed, plans)


def test_what_has_expired_is_shown_with_what_becomes_of_it() -> None:
    expired = plan(
        Expired(Partition(date(2024, 1, 1), 1000, 5_000_000), ""),
        Expired(Partition(date(2024, 1, 2), 234, 600), ""),
        Expired(Partition(date(2024, 1, 3), 7, 100), "Silver has not read all of it"),
    )
    lines = lines_of(retention_report(expired, is_deleted=False))
    assert lines[0] == "bronze.movies, ingested before 2024-01-30"
    assert "2024-01-01 to 2024-01-02 2 1,234 5,000,600 to be deleted" in lines
    assert "2024-01-03 1 7 100 kept: Silver has not read all of it" in lines
    assert "2024-01-01 to 2024-01-02 2 1,234 5,000,600 deleted" in lines_of(retention_report(expired, is_deleted=True))


def test_one_sentence_says_how_much_has_expired() -> None:
    kept = Expired(Partition(date(2024, 1, 3), 7, 100), "Silver has not read all of it")
    gone = Expired(Partition(date(2024, 1, 1), 1000, 5_000_000), "")
    assert retention_sentence(BronzeMaintained(plan(kept), True, ())) == "nothing to delete from before 2024-01-30"
    expired = plan(gone, kept, replayed=2, plans=3000)
    counted = "1,000 observations, 2 replayed texts, 3,000 entries of old plans"
    assert retention_sentence(BronzeMaintained(expired, True, ())) == f"deleted {counted}"
    assert retention_sentence(BronzeMaintained(expired, False, ())) == f"--delete-expired would delete {counted}"


def test_nothing_is_deleted_for_a_selection_of_models_nor_as_of_a_time_to_come() -> None:
    with pytest.raises(ConfigurationError, match="--select names models"):
        maintain(delete_expired=True, select="movies")
    for delete_expired in (True, False):
        with pytest.raises(ConfigurationError, match="--as-of 2999-01-01 lies ahead"):
            maintain(delete_expired=delete_expired, as_of="2999-01-01")
