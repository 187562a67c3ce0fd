import io

from rich.console import Console

from orchestration.maintenance_command import Maintained, read_line, report, sentence


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
    screen = Console(file=io.StringIO(), width=140)
    screen.print(report(found))
    assert isinstance(screen.file, io.StringIO)
    lines = [line.split() for line in screen.file.getvalue().splitlines()]
    assert ["gold.actor_centrality", "not", "built", "yet", "0.1"] in lines
    assert ["silver.movies", "7", "1", "optimized,", "deleted", "old", "files:", "12", "2.2"] in lines
    assert ["silver.people", "2", "2", "nothing", "to", "do", "1.0"] in lines
    assert ["in", "all", "9", "3", "3.4"] in lines
