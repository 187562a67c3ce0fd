"""Whether a service works, found out by a real call to it. Each check gives a short finding, or raises."""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable

from lakehouse.errors import LakehouseError, ServiceError
from lakehouse.settings import Settings, mask

CALL_TIMEOUT_SECONDS = 5


def hdfs(settings: Settings) -> str:
    """The NameNode is out of safe mode and has a live DataNode; the root folder can be listed."""
    return namenode(settings) if settings.runs_own_hdfs else _hdfs_elsewhere(settings)


def namenode(settings: Settings) -> str:
    """The NameNode of this machine or container: as `hdfs` says."""
    base = f"http://{settings.bind}:{settings.hdfs.namenode_http_port}"
    state = _bean(base, "Hadoop:service=NameNode,name=FSNamesystemState")
    info = _bean(base, "Hadoop:service=NameNode,name=NameNodeInfo")
    if "Resources are low" in info["Safemode"]:
        # It does not leave this one by itself.
        raise ServiceError(
            "The NameNode is in safe mode since its disk was full.",
            "Free some room, then `lakehouse down` and `lakehouse up`.",
        )
    if info["Safemode"]:
        raise ServiceError("The NameNode is in safe mode.")
    if int(state["NumLiveDataNodes"]) < 1:
        raise ServiceError("The NameNode knows no live DataNode.")
    if int(state["CapacityRemaining"]) == 0:
        raise ServiceError(
            "The DataNode has no room, or has not reported yet.",
            "Look at the disk with `lakehouse doctor`; free some room, or try again in a moment.",
        )
    get(f"{base}/webhdfs/v1/?op=LISTSTATUS")
    return f"{state['NumLiveDataNodes']} DataNode, {int(state['CapacityRemaining']) // 2**30} GiB free"


def datanode(settings: Settings) -> str:
    """The DataNode of this machine or container has found its NameNode."""
    base = f"http://{settings.bind}:{settings.hdfs.datanode_http_port}"
    cluster = _bean(base, "Hadoop:service=DataNode,name=DataNodeInfo").get("ClusterId")
    if not cluster:
        raise ServiceError("The DataNode has not found its NameNode yet.")
    return f"registered with {cluster}"


def _hdfs_elsewhere(settings: Settings) -> str:
    import socket
    from urllib.parse import urlparse

    address = urlparse(settings.hdfs.uri)
    try:
        with socket.create_connection((address.hostname or "", address.port or 8020), CALL_TIMEOUT_SECONDS):
            return "answers"
    except OSError as error:
        raise ServiceError(f"{settings.hdfs.uri} cannot be reached: {error}.") from error


def get(url: str) -> bytes:
    """What an address answers.

    Raises:
        ServiceError: nothing, or an error.
    """
    try:
        with urllib.request.urlopen(url, timeout=CALL_TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError) as error:
        raise ServiceError(f"{url} does not answer: {error}.") from error


def _bean(base: str, name: str) -> dict[str, str]:
    beans = json.loads(get(f"{base}/jmx?qry={name}"))["beans"]
    if not beans:
        raise ServiceError(f"{base} is starting.")
    return dict(beans[0])


def metastore(settings: Settings) -> str:
    """The metastore lists its databases."""
    from urllib.parse import urlparse

    from thrift.protocol import TBinaryProtocol
    from thrift.Thrift import TException, TMessageType, TType
    from thrift.transport import TSocket, TTransport

    logging.getLogger("thrift").setLevel(logging.CRITICAL)

    address = urlparse(settings.metastore.uri)
    socket = TSocket.TSocket(address.hostname, address.port)
    socket.setTimeout(CALL_TIMEOUT_SECONDS * 1000)
    transport = TTransport.TBufferedTransport(socket)
    protocol = TBinaryProtocol.TBinaryProtocol(transport)
    try:
        transport.open()
        # get_all_databases() takes nothing and gives list<string>: not worth a generated client.
        protocol.writeMessageBegin("get_all_databases", TMessageType.CALL, 1)
        protocol.writeStructBegin("get_all_databases_args")
        protocol.writeFieldStop()
        protocol.writeMessageEnd()
        transport.flush()
        _, kind, _ = protocol.readMessageBegin()
        protocol.readStructBegin()
        _, field_type, field_id = protocol.readFieldBegin()
        if kind != TMessageType.REPLY or field_type != TType.LIST or field_id != 0:
            raise ServiceError("The metastore answers, but cannot list its databases.")
        _, count = protocol.readListBegin()
        names = [str(protocol.readString()) for _ in range(count)]
    except (TException, OSError, EOFError) as error:
        raise ServiceError(f"{settings.metastore.uri} does not answer: {error}.") from error
    finally:
        transport.close()
    return f"{len(names)} databases"


def thrift(settings: Settings) -> str:
    """The Thrift server runs SQL, and knows the UDFs."""
    from lakehouse.hive import query

    try:
        answer = query(settings, "select vader_category(vader_compound('a great film'))")
    except ServiceError:
        raise
    except LakehouseError as error:
        raise ServiceError(error.message) from error
    if answer.rows != [("positive",)]:
        raise ServiceError(f"The Thrift server's UDFs answer {answer.rows}.")
    return "SQL and UDFs answer"


def mongo(settings: Settings) -> str:
    """MongoDB answers a ping."""
    import pymongo
    from pymongo.errors import PyMongoError

    uri = settings.mongo.uri.get_secret_value()
    try:
        client: pymongo.MongoClient[dict[str, object]]
        with pymongo.MongoClient(uri, serverSelectionTimeoutMS=CALL_TIMEOUT_SECONDS * 1000) as client:
            client.admin.command("ping")
            version = client.server_info()["version"]
    except PyMongoError as error:
        raise ServiceError(f"{mask(uri)} does not answer ({type(error).__name__}).") from error
    return f"in-memory stand-in, speaks {version}" if settings.runs_own_mongo else f"MongoDB {version}"


def tmdb(settings: Settings) -> str:
    """TMDB, or its stand-in, takes the token."""
    request = urllib.request.Request(
        f"{settings.tmdb.url}/configuration",
        headers={"Authorization": f"Bearer {settings.tmdb.token.get_secret_value()}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=CALL_TIMEOUT_SECONDS) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise ServiceError(f"{settings.tmdb.url} does not answer: {error}.") from error
    return "stand-in for TMDB's API" if settings.runs_own_tmdb else "TMDB takes the token"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "hdfs": hdfs,
    "metastore": metastore,
    "thrift": thrift,
    "mongo": mongo,
    "tmdb": tmdb,
}
TITLES = {
    "hdfs": "HDFS",
    "metastore": "The Hive metastore",
    "thrift": "The Spark Thrift server",
    "mongo": "MongoDB",
    "tmdb": "TMDB's API",
}


def address_of(settings: Settings, name: str) -> str:
    """Where a service is spoken to."""
    return {
        "hdfs": settings.hdfs.uri,
        "metastore": settings.metastore.uri,
        "thrift": f"{settings.thrift.host}:{settings.thrift.port}",
        "mongo": mask(settings.mongo.uri.get_secret_value()),
        "tmdb": settings.tmdb.url,
    }[name]


def own_services(settings: Settings) -> list[str]:
    """The services that run here under these settings, rather than elsewhere."""
    own = {
        "hdfs": settings.runs_own_hdfs,
        "metastore": settings.runs_own_metastore,
        "thrift": settings.profile == "local",
        "mongo": settings.runs_own_mongo,
        "tmdb": settings.runs_own_tmdb,
    }
    return [name for name, here in own.items() if here]


def next_step(settings: Settings, name: str, error: ServiceError) -> str:
    """What to do where a service does not work: what its check says; else start it, or look after the one elsewhere."""
    if error.next_step:
        return error.next_step
    if name in own_services(settings):
        return "Start the services with `lakehouse up`."
    setting = {"thrift": "host", "tmdb": "url or the token"}.get(name, "uri")
    return f"It runs elsewhere: see that it is up, or correct {name}.{setting}."


def require(settings: Settings, *names: str) -> None:
    """Check services before work that needs them.

    Raises:
        ServiceError: one does not work; one sentence that names it, its address and the next step.
    """
    for name in names:
        try:
            CHECKS[name](settings)
        except ServiceError as error:
            raise ServiceError(
                f"{TITLES[name]} does not work at {address_of(settings, name)}: {error.message}",
                next_step(settings, name, error),
            ) from error
