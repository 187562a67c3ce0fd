"""The Spark Thrift server: a Spark driver that publishes the UDFs, then speaks HiveServer2's protocol.

Run as `python -m lakehouse.thrift_server` by `lakehouse up`; ends on SIGTERM.
"""

import signal
import threading
import time

from lakehouse.errors import ServiceError
from lakehouse.services import health
from lakehouse.settings import Settings, load_settings
from lakehouse.spark import prepare, spark_conf, start_session

_WAIT_SECONDS = 90


def server_conf(settings: Settings) -> dict[str, str]:
    """What HiveServer2 needs on top of a job's session."""
    return {
        # Each connection would else get a session of its own, which does not see the UDFs.
        "spark.sql.hive.thriftServer.singleSession": "true",
        "spark.hadoop.hive.server2.thrift.port": str(settings.thrift.port),
        "spark.hadoop.hive.server2.thrift.bind.host": settings.thrift.host,
        "spark.hadoop.hive.server2.enable.doAs": "false",
        "spark.hadoop.hive.server2.transport.mode": "binary",
        # Delta 4.4 answers max(<date>) from its log with a type that the server's java.time mode cannot take.
        "spark.databricks.delta.optimizeMetadataQuery.enabled": "false",
        # Statements of different clients share the two cores evenly.
        "spark.scheduler.mode": "FAIR",
    }


def _wait_for_storage(settings: Settings) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            health.hdfs(settings)
            health.metastore(settings)
            return
        except ServiceError as error:
            if time.monotonic() > deadline:
                raise ServiceError(f"The Thrift server waited {_WAIT_SECONDS} s in vain: {error}") from error
            time.sleep(0.2)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    logs = settings.home / "logs"
    conf = spark_conf(settings, logs / "spark-thrift.log", settings.thrift.driver_memory_mb)
    # The JVM starts while HDFS and the metastore still do; neither is asked before they answer.
    spark = start_session({**conf, **server_conf(settings)}, "thrift", settings, logs / "thrift.log")
    _wait_for_storage(settings)
    prepare(spark, settings)
    jvm = spark._jvm
    assert jvm is not None
    jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithContext(spark._jsparkSession.sqlContext())
    ended = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: ended.set())
    ended.wait()
    spark.stop()


if __name__ == "__main__":
    main()
