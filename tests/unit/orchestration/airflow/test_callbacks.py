"""What is told of dbt's nodes that failed in a DAG run."""

from typing import Any

from orchestration.airflow.callbacks import nodes_failed


def _row(name: str, status: str, message: str = "", kind: str = "test") -> dict[str, Any]:
    return {
        "node_id": f"{kind}.p.{name}",
        "node_name": name,
        "kind": kind,
        "status": status,
        "message": message,
    }


def test_each_failing_node_is_told_with_the_rows_that_it_found() -> None:
    rows = [
        _row("movies", "success", kind="model"),
        _row("people", "error", "no such column", kind="model"),
        _row("keys_of_movies", "fail", "Got 2 results\nmovie_id=1, what=twice\nmovie_id=2, what=twice"),
    ]
    people, keys = nodes_failed("tmdb_transform", rows, "run-1")
    assert (people.severity, people.subject) == ("critical", "tmdb_transform: model people")
    assert "no such column" in people.message
    assert people.examples == ()
    assert keys.subject == "tmdb_transform: test keys_of_movies"
    assert keys.message.endswith("Got 2 results")
    assert keys.examples == ("movie_id=1, what=twice", "movie_id=2, what=twice")
    assert keys.command == "lakehouse history --run run-1"


def test_of_an_error_of_spark_its_own_sentence_is_told() -> None:
    where = "Runtime Error in model people (models/silver/people.sql) Database Error HiveSQLException: "
    sentence = "[FIELD_NOT_FOUND] No such struct field `nothing` in `person_id`. SQLSTATE: 42704"
    stack = (
        f"[FIELD_NOT_FOUND] org.apache.spark.sql.AnalysisException: {sentence}; line 32 pos 8 at org.apache.spark.A.b"
    )
    (told,) = nodes_failed("tmdb_transform", [_row("people", "error", where + stack, kind="model")], "run-1")
    assert told.message == f"It failed and is not tried again: {sentence}"


def test_a_node_that_was_built_by_a_later_attempt_is_not_told() -> None:
    rows = [_row("people", "error", "no such column", kind="model"), _row("people", "success", kind="model")]
    assert nodes_failed("tmdb_transform", rows, "run-1") == ()


def test_what_several_tasks_tell_of_one_node_is_one_alert() -> None:
    rows = [_row("keys_of_movies", "fail", "Got 1 result")]
    first, second = (nodes_failed("tmdb_transform", rows, run)[0] for run in ("run-1", "run-1"))
    assert first.fingerprint == second.fingerprint
