"""From the stand-in for TMDB's API into real Delta tables: windows, repeats, what is counted how, and going on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingestion import bronze
from ingestion.batch import BatchSummary
from ingestion.errors import SourceError
from ingestion.retention import bronze_state
from ingestion.synthetic.movie import movie_id
from ingestion.tables import BronzeTables
from ingestion.tmdb.ask import Ask
from ingestion.tmdb.failures import AccessRefused, RetriesSpent
from ingestion.tmdb.run import ApiRequest, ingest_api
from ingestion.tmdb.tally import Tally
from lakehouse.settings import Settings, load_settings
from tests.integration.ingestion.conftest import Killed, wall_clock
from tests.standin import TOKEN, RunningStandin, standin

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

MOVIES = 120
CHANGES = Ask()
FIRST = datetime(2026, 1, 2, 12, tzinfo=UTC)
SECOND = datetime(2026, 1, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningStandin]:
    with standin(movies=MOVIES) as running:
        yield running


@dataclass
class Ingestion:
    """Asks the stand-in, as a person would from the command line."""

    spark: "SparkSession"
    server: RunningStandin
    tables: BronzeTables
    settings: Settings

    def __call__(
        self, ask: Ask = CHANGES, as_of: datetime = FIRST, today: datetime | None = None, **options: Any
    ) -> BatchSummary:
        self.server.set_today((today or as_of).isoformat())
        request = ApiRequest(ask, as_of)
        self.tally = Tally()
        return ingest_api(self.spark, self.settings, request, wall_clock, self.tally, tables=self.tables, **options)

    def rows(self, table: str = "movies") -> list[dict[str, Any]]:
        rows = self.spark.read.table(f"{self.tables.database}.{table}").collect()
        return sorted((row.asDict() for row in rows), key=repr)

    def paths(self) -> list[str]:
        return [request["path"] for request in self.server.requests()]

    def fetched(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self.paths() if path.rpartition("/")[2].isdigit()]


@pytest.fixture
def ingestion(spark: "SparkSession", server: RunningStandin, tables: BronzeTables, tmp_path: Path) -> Ingestion:
    server.set_faults("none")
    server.set_dirty_rate(0)
    server.clear_requests()
    settings = load_settings(
        home=str(tmp_path),
        tmdb={
            "url": f"{server.url}/3",
            "export_url": f"{server.url}/p/exports",
            "token": TOKEN,
            "rate_per_second": 0,
            "chunk_movies": 25,
            "attempts": 4,
            "backoff_seconds": 0.01,
            "timeout_seconds": 1,
        },
    )
    return Ingestion(spark, server, tables, settings)


def counts(summary: BatchSummary) -> dict[str, int]:
    names = ("requested", "landed", "unchanged", "quarantined", "duplicates", "missing", "changed")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def test_the_export_lands_every_movie_as_tmdb_sent_it(ingestion: Ingestion, server: RunningStandin) -> None:
    summary = ingestion(Ask("export"))
    assert counts(summary) == {"requested": MOVIES, "landed": MOVIES, "changed": MOVIES}
    assert summary.watermark == FIRST
    rows = ingestion.rows()
    assert len({row["movie_id"] for row in rows}) == MOVIES
    one = rows[0]
    with server.client() as client:
        sent = client.get(
            f"/3/movie/{one['movie_id']}", params={"append_to_response": "credits,keywords,reviews,release_dates"}
        )
    assert one["payload"] == sent.text
    assert one["etag"] == sent.headers["etag"]
    assert (one["source"], one["endpoint"]) == ("api", "movie_details")
    assert one["observed_at"] == one["ingested_at"] == FIRST.replace(tzinfo=None)


def test_the_next_ingestion_asks_for_what_changed_since(ingestion: Ingestion) -> None:
    ingestion(Ask("export"))
    before = {row["movie_id"] for row in ingestion.rows()}
    ingestion.server.clear_requests()
    summary = ingestion(as_of=SECOND)
    assert summary.window_start == FIRST - timedelta(days=1)
    assert summary.window_end == summary.watermark == SECOND
    fetched = ingestion.fetched()
    # Some changed and some did not, and each that did is asked for once; those that are gone are counted.
    assert 20 < len(set(fetched) & before) < MOVIES
    assert len(fetched) == len(set(fetched)) == summary.requested
    assert summary.missing == len(set(fetched) - before) > 0
    assert summary.landed == summary.requested - summary.missing
    # Popularity moves every day; what else a movie says, for few of them.
    assert summary.changed is not None
    assert 0 < summary.changed < summary.landed


def test_windows_of_more_than_fourteen_days_are_cut(ingestion: Ingestion) -> None:
    ingestion(Ask("changes", since=FIRST - timedelta(days=40), until=FIRST))
    asked = {
        dict(pair.split("=") for pair in request["query"].split("&"))["start_date"]
        for request in ingestion.server.requests()
        if request["path"].endswith("/changes")
    }
    assert asked == {"2025-11-23", "2025-12-06", "2025-12-19", "2026-01-01"}


def test_what_did_not_change_is_not_sent_again(ingestion: Ingestion, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(map(str, _ids(10))))
    first = ingestion(Ask("ids", path=str(ids)))
    rows = ingestion.rows()
    # An hour later TMDB shows the same.
    again = ingestion(Ask("ids", path=str(ids)), FIRST + timedelta(hours=1), today=FIRST)
    assert counts(first) == {"requested": 10, "landed": 10, "changed": 10}
    assert counts(again) == {"requested": 10, "unchanged": 10}
    assert ingestion.tally.answers[304] == 10
    assert ingestion.rows() == rows
    # And so nothing is there to be built from it.
    state = bronze_state(ingestion.spark, ingestion.tables)
    assert [commit.changes_rows for commit in state.commits][:2] == [False, True]
    # These leave a gap, or rather know nothing of what changed: the watermark does not move.
    assert (first.watermark, again.watermark) == (None, None)


def _ids(number: int) -> list[int]:
    return [movie_id(7, index) for index in range(number)]


def test_the_most_popular_ones_come_once_each(ingestion: Ingestion) -> None:
    summary = ingestion(Ask("popular", count=50))
    assert counts(summary) == {"requested": 50, "landed": 50, "changed": 50}
    assert len(ingestion.fetched()) == len(set(ingestion.fetched())) == 50


def test_faults_of_all_kinds_lose_and_repeat_nothing(ingestion: Ingestion) -> None:
    undisturbed = ingestion(Ask("export"))
    expected = ingestion.rows()
    ingestion.spark.sql(f"drop database {ingestion.tables.database} cascade")
    ingestion.server.set_faults("all20")
    ingestion.settings.tmdb.attempts = 8
    summary = ingestion(Ask("export"))
    assert ingestion.tally.repeats.total() > MOVIES * 0.1
    assert ingestion.rows() == expected
    assert counts(summary) == counts(undisturbed)


@pytest.mark.parametrize("instant", ["before a commit", "after a commit"])
def test_a_killed_ingestion_goes_on_and_fetches_only_what_was_under_way(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    ingestion.server.set_dirty_rate(0.2)
    summary = ingestion(Ask("export"))
    expected = {table: ingestion.rows(table) for table in ("movies", "quarantine", "requested_movies")}
    ingestion.spark.sql(f"drop database {ingestion.tables.database} cascade")
    ingestion.server.clear_requests()

    commits = count(1)
    append = bronze._append

    def kill_at_the_third(*arguments: Any) -> None:
        number = next(commits)
        if number == 3 and instant == "before a commit":
            raise Killed
        append(*arguments)
        if number == 3:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bronze, "_append", kill_at_the_third)
        with pytest.raises(Killed):
            ingestion(Ask("export"))
    [batch] = ingestion.rows("batches")
    assert (batch["status"], batch["watermark"]) == ("running", None)
    # A later hour: the same ask goes on with the batch that is unfinished, and keeps its time.
    again = ingestion(Ask("export"), FIRST + timedelta(hours=4), today=FIRST)
    assert again.batch_id == batch["batch_id"]
    assert counts(again) == counts(summary)
    assert {table: ingestion.rows(table) for table in expected} == expected
    fetched = ingestion.fetched()
    assert len(set(fetched)) == MOVIES
    repeated = {one for one in fetched if fetched.count(one) > 1}
    damaged = {row["movie_id"] for row in expected["quarantine"]}
    assert 0 < len(repeated - damaged) <= 2 * ingestion.settings.tmdb.chunk_movies


def test_a_killed_plan_goes_on_after_its_last_window(ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion import notes

    ask = Ask("changes", since=FIRST - timedelta(days=40), until=FIRST)
    ingestion(ask)
    expected = ingestion.rows("requested_movies")
    ingestion.spark.sql(f"drop database {ingestion.tables.database} cascade")
    ingestion.server.clear_requests()

    parts = count(1)
    append = notes.append

    def kill_after_the_second(*arguments: Any) -> None:
        append(*arguments)
        if arguments[-1] == "plan" and next(parts) == 2:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(notes, "append", kill_after_the_second)
        with pytest.raises(Killed):
            ingestion(ask)
    ingestion(ask)
    assert ingestion.rows("requested_movies") == expected
    asked = [request["query"] for request in ingestion.server.requests() if request["path"].endswith("/changes")]
    assert len(asked) == len(set(asked))


def test_a_movie_that_tmdb_fails_to_answer_for_is_kept_for_later(ingestion: Ingestion, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    chosen = _ids(5)
    ids.write_text("\n".join(map(str, chosen)))
    ingestion.server.set_faults([{"kind": "internal_error", "path": rf"/3/movie/{chosen[2]}\?", "rate": 1.0}])
    summary = ingestion(Ask("ids", path=str(ids)))
    assert counts(summary) == {"requested": 5, "landed": 4, "quarantined": 1, "changed": 4}
    [row] = ingestion.rows("quarantine")
    assert (row["reason"], row["movie_id"]) == ("fetch_failed", str(chosen[2]))
    assert "500 at every attempt" in row["detail"]


def test_a_batch_whose_repeats_are_spent_ends_and_goes_on(ingestion: Ingestion) -> None:
    ingestion.settings.tmdb.free_retries = 5
    ingestion.settings.tmdb.retries_per_answer = 0
    ingestion.server.set_faults([{"kind": "offline", "path": r"/3/movie/[0-9]+\?", "rate": 0.3}])
    with pytest.raises(RetriesSpent, match="the same command goes on"):
        ingestion(Ask("export"))
    [failed] = ingestion.rows("batches")
    assert failed["status"] == "failed"
    ingestion.server.set_faults("none")
    summary = ingestion(Ask("export"), FIRST + timedelta(hours=1), today=FIRST)
    assert summary.batch_id == failed["batch_id"]
    assert len(ingestion.rows()) == MOVIES
    assert [row["status"] for row in ingestion.rows("batches")] == ["succeeded"]


def test_a_refused_token_is_recorded_and_loses_nothing(ingestion: Ingestion) -> None:
    from pydantic import SecretStr

    ingestion.settings.tmdb.token = SecretStr("standin-expired")
    with pytest.raises(AccessRefused, match="expired"):
        ingestion(Ask("export"))
    [failed] = ingestion.rows("batches")
    assert (failed["status"], failed["requested"]) == ("failed", 0)
    ingestion.settings.tmdb.token = SecretStr(TOKEN)
    assert ingestion(Ask("export")).landed == MOVIES


def test_a_window_that_ends_before_it_begins_is_refused(ingestion: Ingestion) -> None:
    with pytest.raises(SourceError, match=r"begin at .* after their end"):
        ingestion(Ask("changes", since=FIRST, until=FIRST - timedelta(days=3)))


def test_a_window_with_a_gap_before_it_leaves_the_watermark(ingestion: Ingestion) -> None:
    assert ingestion(Ask("changes", since=FIRST - timedelta(days=2), until=FIRST)).watermark == FIRST
    gap = ingestion(Ask("changes", since=SECOND - timedelta(days=2), until=SECOND), SECOND)
    assert gap.watermark is None
    # The next one begins at the mark, less the overlap, and closes the gap.
    assert ingestion(as_of=SECOND).window_start == FIRST - timedelta(days=1)


def test_a_clock_that_went_back_asks_for_the_overlap_again(ingestion: Ingestion) -> None:
    ingestion(Ask("export"), SECOND)
    assert ingestion(as_of=FIRST).window_start == FIRST - timedelta(days=1)


def test_progress_tells_how_many_are_left(ingestion: Ingestion) -> None:
    told: list[tuple[int, int]] = []
    ingestion(Ask("export"), on_progress=lambda _, done, movies: told.append((done.requested, movies)))
    assert told == [(done, MOVIES) for done in (0, 25, 50, 75, 100, 120)]


def test_no_token_in_any_table(ingestion: Ingestion) -> None:
    secret = TOKEN
    ingestion(Ask("export"))
    ingestion.spark.sql(f"describe history {ingestion.tables.movies}").collect()
    for table in ("movies", "batches", "quarantine", "requested_movies"):
        assert not [row for row in ingestion.rows(table) if f"Bearer {secret}" in repr(row)]
