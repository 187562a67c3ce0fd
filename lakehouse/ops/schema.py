"""The tables of `ops`, declared once: what a run leaves behind of itself. docs/observability.md explains them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its name, its Spark type, and what it holds."""

    name: str
    kind: str
    comment: str


@dataclass(frozen=True)
class OpsTable:
    """A table of `ops`.

    Args:
        name: without the schema.
        comment: what one row is.
        key: the columns that make a row unique; a row that is stored again replaces the one with the same key.
        columns: in order.
    """

    name: str
    comment: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        """`ops.<name>`."""
        return f"ops.{self.name}"

    @property
    def statement(self) -> str:
        """The `create table if not exists` statement."""
        columns = ", ".join(f"{column.name} {column.kind} comment {quoted(column.comment)}" for column in self.columns)
        return f"create table if not exists {self.full_name} ({columns}) using delta comment {quoted(self.comment)}"


def quoted(text: str) -> str:
    """The text as a literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_RUN = Column("run_id", "string", "the run that the row is of")

RUNS = OpsTable(
    "runs",
    "one row a run: of the cycle, or of one command by itself",
    ("run_id",),
    (
        _RUN,
        Column("kind", "string", "what was run: demo, run, build, gate, publish, export, ..."),
        Column("status", "string", "running, succeeded, failed, or killed where it ended without saying so"),
        Column("started_at", "timestamp", "UTC"),
        Column("finished_at", "timestamp", "UTC; NULL while it runs"),
        Column("seconds", "double", "from start to end"),
        Column("as_of", "timestamp", "the instant that Gold was computed for, UTC"),
        Column("error", "string", "what ended it, as it was told to the person who ran it"),
        Column("next_step", "string", "what that person was told to do"),
        Column("host", "string", "the machine's name"),
        Column("cores", "int", "processors that the run might use"),
        Column("arguments", "string", "what it was asked for, as JSON; holds no secret"),
    ),
)

STEPS = OpsTable(
    "steps",
    "one row a step of a run",
    ("run_id", "step_number"),
    (
        _RUN,
        Column("step_number", "int", "1 for the first"),
        Column("step", "string", "ingest, silver, gate, graph, gold, audit, publish, export, ..."),
        Column("status", "string", "running, succeeded, failed, or killed with the run"),
        Column("started_at", "timestamp", "UTC"),
        Column("finished_at", "timestamp", "UTC"),
        Column("seconds", "double", "from start to end"),
        Column("findings", "array<string>", "what the step said of itself when it ended"),
        Column("error", "string", "what ended it"),
    ),
)

DBT_RESULTS = OpsTable(
    "dbt_results",
    "one row a dbt node that a run executed",
    ("run_id", "invocation_id", "node_id"),
    (
        _RUN,
        Column("invocation_id", "string", "dbt's own id of the call"),
        Column("node_id", "string", "dbt's unique id, e.g. model.tmdb_lakehouse.movies"),
        Column("node_name", "string", "the node's name"),
        Column("kind", "string", "model, test, unit_test, snapshot, seed, operation"),
        Column("status", "string", "success, pass, warn, error, fail, skipped"),
        Column("started_at", "timestamp", "UTC; NULL where it was skipped"),
        Column("finished_at", "timestamp", "UTC"),
        Column("seconds", "double", "how long it ran"),
        Column("thread", "string", "dbt's thread"),
        Column("failures", "bigint", "rows that a test found"),
        Column("message", "string", "dbt's message"),
    ),
)

STAGE_METRICS = OpsTable(
    "stage_metrics",
    "one row a Spark stage, from the event log",
    ("application_id", "stage_id", "attempt"),
    (
        _RUN,
        Column("application_id", "string", "Spark's id of the application"),
        Column("application_name", "string", "cycle, thrift, gate, ..."),
        Column("stage_id", "int", "Spark's number of the stage"),
        Column("attempt", "int", "0 for the first"),
        Column("name", "string", "the call that the stage is of"),
        Column("status", "string", "succeeded or failed"),
        Column("submitted_at", "timestamp", "UTC"),
        Column("completed_at", "timestamp", "UTC"),
        Column("seconds", "double", "from submission to end"),
        Column("tasks", "int", "tasks that ended"),
        Column("failed_tasks", "int", "those of them that failed; each is tried again, up to four times"),
        Column("run_seconds", "double", "time in tasks, summed"),
        Column("cpu_seconds", "double", "CPU time of the JVM in tasks, summed"),
        Column("gc_seconds", "double", "garbage collection while tasks ran, summed"),
        Column("input_rows", "bigint", "rows read from storage"),
        Column("input_bytes", "bigint", "bytes read from storage"),
        Column("output_rows", "bigint", "rows written"),
        Column("output_bytes", "bigint", "bytes written"),
        Column("shuffle_read_bytes", "bigint", "bytes of shuffles read"),
        Column("shuffle_write_bytes", "bigint", "bytes of shuffles written"),
        Column("spilled_bytes", "bigint", "bytes spilled to disk"),
        Column("peak_memory_bytes", "bigint", "the largest execution memory of a task"),
    ),
)

RESOURCES = OpsTable(
    "resources",
    "one row a process (or the machine, or HDFS) and run: what it used",
    ("run_id", "resource"),
    (
        _RUN,
        Column("resource", "string", "a process (cycle, thrift, namenode, ...), machine, disk, or hdfs"),
        Column("measured_at", "timestamp", "when the run ended, UTC"),
        Column("peak_memory_mb", "double", "the largest resident memory that was seen, MiB; NULL where it has none"),
        Column("cpu_seconds", "double", "CPU time that it used during the run"),
        Column("used_share", "double", "used of available: memory of the machine, space of disk and HDFS; 0 to 1"),
        Column("used_bytes", "bigint", "bytes used, of disk and HDFS"),
        Column("capacity_bytes", "bigint", "bytes that there are"),
    ),
)

QUALITY_METRICS = OpsTable(
    "quality_metrics",
    "one row a rule and run of a gate: how many rows it is about, and in how many it holds",
    ("run_id", "table_name", "rule"),
    (
        _RUN,
        Column("layer", "string", "bronze, silver, gold"),
        Column("table_name", "string", "schema.table, as readers know it"),
        Column("rule", "string", "the rule's name in the table's suite, or table_<dimension> for their sum"),
        Column("dimension", "string", "completeness, consistency, accuracy, uniqueness, references, volume, ..."),
        Column("severity", "string", "critical: below its threshold nothing is published; warning: it is told"),
        Column("numerator", "bigint", "rows (or cells) in which it holds; NULL of a measure that is no share"),
        Column("denominator", "bigint", "rows (or cells) that it is about"),
        Column("score", "double", "numerator over denominator, 1 of nothing; or the measure itself"),
        Column("threshold", "double", "the bound that the score is held to"),
        Column("status", "string", "pass, warn, fail"),
        Column("detail", "string", "what was found, in words"),
        Column("measured_at", "timestamp", "when, UTC"),
        Column("as_of", "timestamp", "the instant that the gate looks back from, UTC"),
    ),
)

QUALITY_FAILURES = OpsTable(
    "quality_failures",
    "one row a row that broke a rule, up to a number of them a rule and run",
    ("run_id", "table_name", "rule", "row_key"),
    (
        _RUN,
        Column("layer", "string", "bronze, silver, gold"),
        Column("table_name", "string", "schema.table"),
        Column("rule", "string", "the rule's name in the table's suite"),
        Column("row_key", "string", "the row's key, its columns joined by |"),
        Column("reason", "string", "what is wrong, in words"),
        Column("row_values", "string", "the columns that the rule is about, as JSON"),
        Column("measured_at", "timestamp", "when, UTC"),
    ),
)

ALERTS = OpsTable(
    "alerts",
    "one row an alert that was raised, whatever became of it",
    ("alert_id",),
    (
        Column("alert_id", "string", "made of run, kind, subject and rule"),
        _RUN,
        Column("severity", "string", "critical (told at once) or warning (told in the digest)"),
        Column("kind", "string", "gate, score, job, delay, volume, drift, storage, resources"),
        Column("subject", "string", "the table, job or resource that it is about"),
        Column("rule", "string", "the rule's name; empty where there is none"),
        Column("score", "double", "what was measured"),
        Column("threshold", "double", "what it is held to"),
        Column("message", "string", "what is wrong, in a sentence"),
        Column("command", "string", "how to look closer"),
        Column("status", "string", "sent, waiting (for the digest), repeated (told before), limited, failed, unheard"),
        Column("channels", "array<string>", "where it was delivered: slack, mail"),
        Column("raised_at", "timestamp", "UTC"),
    ),
)

PUBLICATIONS = OpsTable(
    "publications",
    "one row a version of Gold that was published, or given back to readers by a rollback",
    ("publication_id",),
    (
        Column("publication_id", "string", "the run that published it"),
        Column("action", "string", "publish or rollback"),
        Column("content_of", "string", "the publication whose content readers see: its own, or the one rolled back to"),
        Column("as_of", "timestamp", "the instant that Gold was computed for, UTC"),
        Column("published_at", "timestamp", "UTC"),
        Column("marts", "map<string, timestamp>", "mart -> the instant of its table in gold_build that readers see"),
    ),
)

TABLES: tuple[OpsTable, ...] = (
    RUNS,
    STEPS,
    DBT_RESULTS,
    STAGE_METRICS,
    RESOURCES,
    QUALITY_METRICS,
    QUALITY_FAILURES,
    ALERTS,
    PUBLICATIONS,
)
