"""The groups of settings, with default and meaning of each; `lakehouse.settings` makes one `Settings` of them."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Section(BaseModel):
    """A group of settings; an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


class Hdfs(Section):
    """HDFS: one NameNode and one DataNode here, or an existing cluster's address."""

    uri: str = Field("", description="hdfs://host:port; empty: this machine's, from the ports below")
    namenode_port: int = Field(9000, ge=1, le=65535)
    namenode_http_port: int = Field(9870, ge=1, le=65535)
    datanode_port: int = Field(9866, ge=1, le=65535)
    datanode_ipc_port: int = Field(9867, ge=1, le=65535)
    datanode_http_port: int = Field(9864, ge=1, le=65535)
    datanode_host: str = Field("", description="the name under which the DataNode is reached; empty: `bind`")
    replication: int = Field(1, ge=1, description="copies of each block")
    heap_mb: int = Field(256, ge=128, description="heap of the NameNode and of the DataNode, MiB each")


class Metastore(Section):
    """The Hive metastore service, with Derby or PostgreSQL behind it when it runs here."""

    uri: str = Field("", description="thrift://host:port; empty: this machine's, from the port below")
    port: int = Field(9083, ge=1, le=65535)
    heap_mb: int = Field(384, ge=128)
    database_url: str = Field(
        "",
        pattern=r"^(jdbc:postgresql://[^?@]+)?$",
        description="jdbc:postgresql://host/database; empty: Derby in home",
    )
    database_user: str = ""
    database_password: SecretStr = SecretStr("")


class Thrift(Section):
    """The Spark Thrift server, where dbt, beeline and `lakehouse sql` send their SQL."""

    host: str = "127.0.0.1"
    port: int = Field(10000, ge=1, le=65535)
    driver_memory_mb: int = Field(4096, ge=512)


class Mongo(Section):
    """The MongoDB that is published to; without a `uri`, an in-memory stand-in runs here."""

    uri: SecretStr = Field(SecretStr(""), description="mongodb://...; empty: the stand-in on the port below")
    database: str = Field("tmdb", pattern=r"^[A-Za-z0-9_-]+$")
    port: int = Field(27017, ge=1, le=65535)
    heap_mb: int = Field(768, ge=64)


class Spark(Section):
    """Spark's sizes. The defaults are for two cores."""

    master: str = "local[2]"
    driver_memory_mb: int = Field(2048, ge=512, description="heap of a job's driver, MiB")
    shuffle_partitions: int = Field(4, ge=1)
    ui_port: int = Field(0, ge=0, le=65535, description="0: no web UI")
    executor_env: str = Field(
        "",
        description="archive of the executors' Python (`make executor-env`); empty: the driver's, at the same path",
    )
    extra: dict[str, str] = Field(default_factory=dict, description="any further spark.* key")


class Ingest(Section):
    """How a batch is read and landed, and how long Bronze keeps it."""

    chunk_rows: int = Field(8000, ge=1, description="records in one Bronze commit, at most")
    chunk_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="bytes of payload in one Bronze commit")
    max_record_bytes: int = Field(16 * 1024 * 1024, ge=1024, description="a longer record goes to quarantine")
    retention_days: int = Field(730, ge=1, description="what was ingested earlier may be deleted from Bronze")
    deletes_expired: bool = Field(False, description="whether each cycle deletes it; else `maintain` does, when asked")


class Tmdb(Section):
    """TMDB's API: where it is, who asks, and how gently."""

    token: SecretStr = Field(SecretStr(""), description="API read access token; empty: a stand-in server runs here")
    url: str = Field("", pattern=r"^(https?://.*)?$", description="of the API; empty: TMDB's, or the stand-in's")
    export_url: str = Field("", pattern=r"^(https?://.*)?$", description="of the id exports; empty: as above")
    port: int = Field(8590, ge=1, le=65535, description="of the stand-in")
    rate_per_second: int = Field(40, ge=0, description="requests in any one second, at most; 0: no limit")
    concurrency: int = Field(16, ge=1, description="requests under way at once, at most")
    timeout_seconds: float = Field(10, gt=0, description="for a connection, and for each silence within an answer")
    answer_seconds: float = Field(60, gt=0, description="for one whole answer")
    attempts: int = Field(6, ge=1, description="how often one request is tried")
    backoff_seconds: float = Field(0.5, ge=0, description="before the first repeat; doubles each time, with jitter")
    longest_wait_seconds: float = Field(60, gt=0, description="before any repeat, whatever Retry-After says")
    free_retries: int = Field(100, ge=0, description="repeats that a batch has anyway")
    retries_per_answer: float = Field(0.5, ge=0, description="further repeats that each good answer earns")
    chunk_movies: int = Field(400, ge=1, description="movies in one Bronze commit; twice as many are under way")
    overlap_days: int = Field(1, ge=0, description="of the changes asked for again, against clocks that differ")


class Graph(Section):
    """The actor network."""

    max_billing: int = Field(10, ge=2, description="an edge joins actors within the first N of billing")
    partitions: int = Field(4, ge=1)
    window_years: int = Field(5, ge=1, description="length of the rolling windows of the network's evolution")
    target_person_id: int | None = Field(
        None, description="to whom shortest paths lead; none: the actor with the most shared movies"
    )
    exact_actors: int = Field(5000, ge=0, description="up to so many actors, betweenness is exact")
    pivots: int = Field(2_048, ge=2, description="beyond, it follows so many")
    seed: int = Field(20260101, description="of the draw of pivots")
    array_edges: int = Field(
        50_000_000, ge=0, description="up to so many edges, PageRank is computed in one process, beyond by GraphFrames"
    )


class Gate(Section):
    """The gates: what is demanded of the data stands in a file of its own."""

    thresholds: Path = Field(Path("expectations/thresholds.yaml"), description="relative to the project's root")
    failing_rows: int = Field(20, ge=0, description="rows kept of each rule that is broken, a run")


class Publication(Section):
    """The versions of Gold that readers can be given."""

    kept: int = Field(10, ge=1, description="versions that a rollback can go to")


class Ops(Section):
    """What is kept of each run beside its tables, and for whom."""

    event_logs: bool = Field(True, description="whether Spark writes event logs, for stage metrics and history server")
    event_log_days: int = Field(14, ge=1, description="older event logs and journals are deleted")
    history_port: int = Field(18080, ge=1, le=65535, description="of the history server")
    openlineage_url: SecretStr = Field(
        SecretStr(""), description="https://..., where lineage events are sent; empty: to files in home/ops"
    )

    @field_validator("openlineage_url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"(https?://|$)", url.get_secret_value()):
            raise ValueError("must begin with http:// or https://")
        return url


class Alerts(Section):
    """Who is told of what is wrong. Without a webhook and a mail server, alerts are only kept."""

    slack_webhook: SecretStr = Field(SecretStr(""), description="https://hooks.slack.com/...; a secret")
    smtp_host: str = Field("", description="empty: no mail")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_encryption: Literal["starttls", "tls", "none"] = "starttls"
    mail_from: str = ""
    mail_to: str = Field("", description="addresses, with commas between them")
    timeout_seconds: float = Field(5, gt=0, description="for one attempt at a channel")
    attempts: int = Field(3, ge=1, description="how often a channel is tried")
    at_most_seconds: float = Field(20, gt=0, description="for all that is told at once; what is left is kept")
    quiet_minutes: int = Field(240, ge=0, description="for so long the same alert is not told again")
    per_hour: int = Field(20, ge=1, description="messages to one channel in an hour")
    says_done: bool = Field(True, description="whether a cycle that has ended well is told as well")
    digest_hours: int = Field(24, ge=1, description="warnings are told once in so many hours")


class Export(Section):
    """The MongoDB export."""

    batch_size: int = Field(1000, ge=1, description="documents in one bulk write")


class Dbt(Section):
    """dbt's own settings."""

    threads: int = Field(2, ge=1)
    project_dir: Path = Field(Path("dbt_project"), description="relative to the project's root")
    wait_minutes: int = Field(60, ge=0, description="for another dbt run that builds Silver and Gold")


class Demo(Section):
    """What `lakehouse demo` makes and lands."""

    movies: int = Field(5000, ge=1)
    seed: int = 20260101
    dirty_rate: float = Field(0.004, ge=0, le=1)


class Airflow(Section):
    """Airflow: started here by `lakehouse airflow up`."""

    port: int = Field(8080, ge=1, le=65535, description="of the web pages and the API, on `bind`")
    host: str = Field("", description="where Airflow's other processes find the API; empty: `bind`")
    base_url: str = Field(
        "", pattern=r"^(https?://.*)?$", description="of the pages, as a browser finds them; empty: host and port"
    )
    user: str = Field("admin", pattern=r"^[a-z][a-z0-9_-]*$", description="who logs in; the password is generated")
    schedule: str = Field("0 */4 * * *", description="when tmdb_ingest runs, cron, UTC; the other DAGs follow it")
    parallelism: int = Field(4, ge=1, description="tasks at a time")
    database: SecretStr = Field(SecretStr(""), description="SQLAlchemy URL; empty: SQLite in home/airflow")
    retry_seconds: float = Field(60, gt=0, description="before the first retry of a task; doubled each time")
    deadline_minutes: float = Field(120, gt=0, description="a DAG run that was queued longer ago is told as late")
    keeps_driver: bool = Field(True, description="whether tasks share one Spark driver, which stays between them")
    execution_mode: Literal["watcher", "local"] = Field("watcher", description="how Cosmos runs dbt: decision 13")
