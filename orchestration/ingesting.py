"""The tasks of ingestion, in their order: from a look at the API to movies in Bronze.

Movies are fetched while others land, so that memory holds two chunks of them, and a batch that was killed goes on after
its last commit. So what comes first is the list of movies, kept in `bronze.requested_movies`, and a look at some of
them.
"""

from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ingestion.run import IngestRequest
from ingestion.tmdb.ask import Ask
from ingestion.tmdb.run import SOURCE, ApiRequest
from orchestration.cycle import Cycle, record

if TYPE_CHECKING:
    from ingestion.batch import BatchSummary

Request = IngestRequest | ApiRequest


def first_of_all(cycle: Cycle, request: ApiRequest) -> ApiRequest:
    """The request, or where no batch from the API has succeeded yet, one for all movies.

    Without a batch before it, `changes` asks for the last day's: a lake that begins so never gets the others.
    """
    from pyspark.sql.functions import col

    from ingestion.tables import BRONZE, ensure_tables

    if request.ask != Ask("changes"):
        return request
    ensure_tables(cycle.spark, BRONZE)
    batches = cycle.spark.read.table(BRONZE.batches)
    if batches.where((col("source") == SOURCE) & col("watermark").isNotNull()).head(1):
        return request
    return replace(request, ask=Ask("export"))


def validate_api_connectivity(cycle: Cycle, findings: list[str]) -> None:
    """Make sure that TMDB takes the token, where it is to be asked, and that the lake can be written to.

    Raises:
        ServiceError: one of them does not work; the message says which, and what to do.
    """
    from lakehouse.services import health

    names = ["hdfs", "metastore"]
    if any(isinstance(request, ApiRequest) for request in cycle.requests):
        names.append("tmdb")
    health.require(cycle.settings, *names)


def fetch_recent_movies(cycle: Cycle, findings: list[str]) -> None:
    """Find out which movies the request asks for; of what is no request to the API, nothing is to be found out."""
    from ingestion.drift import LEAST_OBJECTS, needed_fields, usual_fields
    from ingestion.fields import read_recorded
    from ingestion.standin.control import show_day
    from ingestion.tmdb.probe import sample_of
    from ingestion.tmdb.run import plan_api
    from ingestion.tmdb.tally import Tally

    request = cycle.request
    if not isinstance(request, ApiRequest):
        return
    if cycle.turns_standin:
        show_day(cycle.settings.tmdb.url, request.as_of)
    cycle.progress.detail("asking which movies")
    begun, ids = plan_api(cycle.spark, cycle.settings, first_of_all(cycle, request), cycle.clock, Tally())
    recorded = read_recorded(cycle.spark, begun.batch.batch_id, SOURCE, begun.batch.as_of, LEAST_OBJECTS)
    needed = needed_fields(cycle.settings.dbt.project_dir)
    cycle.sample = sample_of(begun, ids, usual_fields(recorded.before, needed))
    cycle.progress.detail(f"{begun.batch.batch_id} asks for {len(ids):,} movies")


def validate_data_quality(cycle: Cycle, findings: list[str]) -> None:
    """Look at some of the movies, those that `fetch_recent_movies` has chosen, before any of them lands.

    Raises:
        DriftError: they lack a field that Silver needs. Nothing has landed.
    """
    from ingestion.drift import needed_fields
    from ingestion.tmdb.probe import probe
    from ingestion.tmdb.tally import Tally

    if cycle.sample is None:
        return
    cycle.progress.detail("looking at some of them")
    needed = needed_fields(cycle.settings.dbt.project_dir)
    cycle.progress.detail(probe(cycle.settings, cycle.sample, needed, Tally()))
    cycle.sample = None


def store_to_bronze_layer(cycle: Cycle, findings: list[str]) -> None:
    """Fetch the movies and land them, and compare the fields of the batch with those of the one before.

    Raises:
        DriftError: what landed lacks a field that Silver needs.
        SourceError: TMDB cannot be asked any further; the batch goes on when this is run again.
    """
    from ingestion.drift import needed_fields, require_fields

    if cycle.request is None:
        return
    batch = _land(cycle, cycle.request)
    cycle.batches.append(batch)
    record(cycle, "batches", [asdict(batch)])
    findings.append(told(batch))
    if batch.landed:
        cycle.progress.detail("comparing fields with the batch before")
        needed = needed_fields(cycle.settings.dbt.project_dir)
        findings += require_fields(cycle.spark, batch.batch_id, needed)


def cleanup_old_partitions(cycle: Cycle, findings: list[str]) -> None:
    """Name what has expired in Bronze, and delete it where `ingest.deletes_expired` says so and Silver has read it."""
    from ingestion.retention import bronze_state, delete_expired, plan_retention
    from ingestion.tables import BRONZE
    from ingestion.writer import only_writer

    cycle.progress.detail("looking for what has expired")
    ingest, spark, at = cycle.settings.ingest, cycle.spark, cycle.clock()
    deletes = ingest.deletes_expired
    with only_writer(spark, BRONZE, "lakehouse run", cycle.clock) if deletes else nullcontext() as lease:
        plan = plan_retention(spark, bronze_state(spark), at, ingest.retention_days)
        rows = sum(partition.rows for partition in plan.going)
        if not (rows or plan.replayed or plan.plans):
            return
        if lease is not None:
            delete_expired(spark, plan, lease)
    said = f"{rows:,} observations that have expired"
    findings.append(f"deleted {said}" if deletes else f"{said} stay: `lakehouse maintain --delete-expired`")


def _land(cycle: Cycle, request: Request) -> "BatchSummary":
    from ingestion.run import ingest as land
    from ingestion.standin.control import show_day
    from ingestion.tmdb.run import ingest_api
    from ingestion.tmdb.tally import Tally

    def on_records(done: Any) -> None:
        cycle.progress.detail(f"{done.requested:,} records read, {done.landed:,} landed")

    def on_movies(batch_id: str, done: Any, movies: int) -> None:
        cycle.progress.detail(f"{batch_id}: {done.requested:,} of {movies:,} movies, {done.landed:,} landed")

    if isinstance(request, IngestRequest):
        return land(cycle.spark, cycle.settings.ingest, request, cycle.clock, on_records)
    if cycle.turns_standin:
        show_day(cycle.settings.tmdb.url, request.as_of)
    request = first_of_all(cycle, request)
    return ingest_api(cycle.spark, cycle.settings, request, cycle.clock, Tally(), on_movies)


def told(batch: "BatchSummary") -> str:
    """What came of a batch, in a line; what did not occur is left out."""
    names = ("landed", "unchanged", "duplicates", "quarantined", "missing")
    counts = [f"{count:,} {name}" for name in names if (count := getattr(batch, name))]
    return f"{batch.batch_id}: {batch.requested:,} records, {', '.join(counts) or 'nothing new'}"
