"""The one Spark session builder, used by the Thrift server and by every job."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import class_cache
from lakehouse.artefacts import Jars, ensure_jars, pyspark_home
from lakehouse.java import java_home
from lakehouse.locks import exclusive
from lakehouse.ops import event_logs
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSS}} %p %c{{1}}: %m%n%ex
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 5
"""


# The optimising compiler shares two cores with the work: in a JVM that learned nothing from an earlier one it takes up
# a method after ten times as many calls as by default. Code that stays hot still reaches it.
_PATIENT_C2 = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)

# A driver that stays for hours compiles more code than the 240 MB that a JVM keeps by default: it would throw code away
# and compile it again. And it holds some 400 MB of classes: each time that these outgrow a threshold, which begins at
# 21 MB, the whole heap is collected.
_MUCH_CODE = "-XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=448m"

_UNPACKED = "environment"


def delta_conf() -> dict[str, str]:
    """What makes any session a Delta session, with the planning cost of small tables kept down."""
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # A Delta log is replayed in this many tasks: the default of 50 costs seconds a query on two cores.
        "spark.databricks.delta.snapshotPartitions": "2",
    }


def sql_conf(settings: Settings) -> dict[str, str]:
    """How SQL is planned and run, wherever it runs."""
    return {
        **delta_conf(),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.shuffle.partitions": str(settings.spark.shuffle_partitions),
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.sql.parquet.compression.codec": "snappy",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Small tables: one task costs more than the megabyte that it reads.
        "spark.sql.files.openCostInBytes": str(8 * 1024 * 1024),
        # Each statement of each model is some Java classes: those of the run before are there when the next one comes.
        "spark.sql.codegen.cache.maxEntries": "2000",
        "spark.ui.enabled": "true" if settings.spark.ui_port else "false",
        "spark.ui.port": str(settings.spark.ui_port or 4040),
        "spark.ui.showConsoleProgress": "false",
    }


# A file of HDFS is closed once a DataNode has reported its last block, which is a moment after the client has asked.
# Then the client waits: 400 ms by default, once a file, which was most of what a commit of Delta took. From 5 ms on,
# doubled each time, it gives up after 20 s; by default after 12.
_HDFS_CLOSES_SOON = {
    "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "5",
    "spark.hadoop.dfs.client.block.write.locateFollowingBlock.retries": "12",
}


def storage_conf(settings: Settings) -> dict[str, str]:
    """Where tables are: HDFS, and the metastore that knows them."""
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": settings.warehouse,
        "spark.hadoop.fs.defaultFS": settings.hdfs.uri,
        "spark.hadoop.hive.metastore.uris": settings.metastore.uri,
        "spark.hadoop.dfs.client.use.datanode.hostname": "false",
        "spark.hadoop.dfs.replication": str(settings.hdfs.replication),
        **_HDFS_CLOSES_SOON,
    }


def jvm_conf(
    settings: Settings, jars: Jars, log_file: Path, memory_mb: int, is_learning: bool = False
) -> dict[str, str]:
    """How the driver's JVM is started: heap, class path, scratch folder, and a log file instead of the terminal.

    `is_learning`: where there is no cache of classes yet, this JVM makes one; see `lakehouse.class_cache`.
    """
    scratch = settings.home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    java = java_home(settings.cache) / "bin" / "java"
    classes = class_cache.options(settings.cache / "classes", java, [pyspark_home() / "jars", *jars.spark], is_learning)
    patience = "" if class_cache.is_used(classes) else _PATIENT_C2
    conf = {
        "spark.driver.memory": f"{memory_mb}m",
        # On the class path of the JVM itself: the Thrift server's threads do not see `spark.jars`.
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in jars.spark),
        "spark.driver.extraJavaOptions": (
            f"-Dlog4j2.configurationFile=file:{_log4j_file(log_file)} -Dderby.stream.error.file={os.devnull} "
            # Shuffle files, and what Hive unpacks: what a killed JVM leaves of them stays in the instance's home.
            f"-Djava.io.tmpdir={scratch} -XX:+UseParallelGC {patience} {_MUCH_CODE} {classes}"
        ),
        "spark.driver.host": settings.bind,
        "spark.driver.bindAddress": settings.bind,
    }
    if settings.profile == "cluster":
        conf["spark.jars"] = ",".join(str(jar) for jar in jars.spark)
        del conf["spark.driver.host"], conf["spark.driver.bindAddress"]
    if settings.spark.executor_env:
        # Unpacked beside each executor, under the name after the `#`.
        conf["spark.archives"] = f"{settings.spark.executor_env}#{_UNPACKED}"
    return conf


def _log4j_file(log_file: Path) -> Path:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    path = log_file.with_suffix(".log4j2.properties")
    path.write_text(_LOG4J.format(file=log_file), encoding="utf-8")
    return path


def spark_conf(settings: Settings, log_file: Path, memory_mb: int, is_learning: bool = False) -> dict[str, str]:
    """Everything that is set for a session; what `spark.extra` names has the last word."""
    jars = ensure_jars(settings.cache)
    return {
        "spark.master": settings.spark.master,
        **sql_conf(settings),
        **storage_conf(settings),
        **jvm_conf(settings, jars, log_file, memory_mb, is_learning),
        **event_logs.conf(settings),
        **settings.spark.extra,
    }


def start_session(conf: dict[str, str], app_name: str, settings: Settings, stderr: Path) -> "SparkSession":
    """Start (or give the running) session with `conf`.

    What the JVM writes to its standard error goes to the file `stderr`, not to the terminal.
    """
    os.environ["JAVA_HOME"] = str(java_home(settings.cache))
    os.environ["SPARK_HOME"] = str(pyspark_home())
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    is_shipped = bool(settings.spark.executor_env)
    os.environ["PYSPARK_PYTHON"] = f"./{_UNPACKED}/bin/python" if is_shipped else sys.executable
    if settings.profile == "local":
        # On a cluster the executors must reach the driver: Spark finds this host's address itself.
        os.environ.setdefault("SPARK_LOCAL_IP", settings.bind)
    from pyspark.sql import SparkSession

    # It writes every error that is raised, with its stack trace, to the terminal first.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    builder = SparkSession.builder.appName(app_name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    with _standard_error_to(stderr):
        return builder.getOrCreate()


def start_job_jvm(settings: Settings, app_name: str, is_learning: bool = False) -> "SparkSession":
    """Start a job's session before HDFS and the metastore need to answer; `spark_session` makes it ready.

    `is_learning`: see `jvm_conf`.
    """
    logs = settings.home / "logs"
    conf = spark_conf(settings, logs / f"spark-{app_name}.log", settings.spark.driver_memory_mb, is_learning)
    return start_session(conf, app_name, settings, logs / f"spark-{app_name}.err")


def spark_session(settings: Settings, app_name: str) -> "SparkSession":
    """The session of a job: Delta on HDFS, the metastore, every registered UDF, every source table.

    One session a process: a second call gives the same one.

    Raises:
        ServiceError: HDFS or the metastore does not answer.
    """
    from lakehouse.services.health import require

    require(settings, "hdfs", "metastore")
    spark = start_job_jvm(settings, app_name)
    prepare(spark, settings)
    return spark


def running_session() -> "SparkSession | None":
    """The session that this process has; None where it has none, or has ended it. Starts nothing."""
    if "pyspark.sql" not in sys.modules:
        return None
    from pyspark.sql import SparkSession

    found = SparkSession._instantiatedSession
    return found if found is not None and found.sparkContext._jsc is not None else None


def prepare(spark: "SparkSession", settings: Settings) -> None:
    """Publish the UDFs to the session, and make sure that the tables which dbt reads as sources exist.

    One process of an instance at a time: two that create a table at once would undo each other's work.
    """
    with exclusive(settings.home / "run" / "tables.lock"):
        for group in ("lakehouse.udfs", "lakehouse.tables"):
            for point in sorted(entry_points(group=group), key=lambda point: point.name):
                point.load()(spark)


@contextlib.contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
