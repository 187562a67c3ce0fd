"""The JVM artefacts: pinned here with their checksums, resolved once into a cache, verified before use.

Spark's own resolver (Ivy) fetches them, so no registry's address stands in this project; a mirror is set
as for any Spark, by `spark.jars.ivySettings`. Everything that Spark already ships is kept out.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import ArtefactError
from lakehouse.java import java_home
from lakehouse.locks import exclusive


@dataclass(frozen=True)
class Artefact:
    """One jar. `sha256` None: nobody here could fetch it to measure it; its first digest is kept and held to."""

    group: str
    name: str
    version: str
    sha256: str | None

    @property
    def coordinate(self) -> str:
        """`group:name:version`, as Maven and Spark write it."""
        return f"{self.group}:{self.name}:{self.version}"

    @property
    def file(self) -> str:
        """The jar's name in the cache."""
        return f"{self.name}-{self.version}.jar"


DELTA = (
    Artefact(
        "io.delta",
        "delta-spark_4.2_2.13",
        "4.4.0",
        "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
    ),
    Artefact(
        "io.delta",
        "delta-storage",
        "4.4.0",
        "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    ),
    Artefact(
        "io.delta",
        "delta-kernel-api",
        "4.4.0",
        "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    ),
    Artefact(
        "io.delta",
        "delta-kernel-defaults",
        "4.4.0",
        "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b",
    ),
    Artefact(
        "io.delta",
        "delta-kernel-unitycatalog",
        "4.4.0",
        "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa",
    ),
)
# Spark ships Hive without this part, but HiveServer2 looks for a class of it when it closes its first session.
HIVE_LLAP = Artefact(
    "org.apache.hive", "hive-llap-common", "2.3.10", "34b9c057b4460b9930746ad663be14aee8a5b3676eeff62129301745072152d7"
)
HADOOP_SERVICES = Artefact(
    "org.apache.hadoop",
    "hadoop-client-minicluster",
    "3.5.0",
    "06772d24529e59939915979b3edba204d367750ef7dc5120411f35221dd4818c",
)
MONGO_STANDIN = (
    Artefact(
        "de.bwaldvogel",
        "mongo-java-server-core",
        "1.47.0",
        "9a34c9ad6ac6261906295481838256033ec1efc8c93a3e3828e5d47a006b0bd4",
    ),
    Artefact(
        "de.bwaldvogel",
        "mongo-java-server-memory-backend",
        "1.47.0",
        "82864f8a2ede1514f64c2cd3a70e8022c259eb3d78975cfa208c1668ac1f12bb",
    ),
)
# Only a metastore with PostgreSQL behind it needs it: `make setup` leaves it out.
POSTGRESQL_DRIVER = Artefact(
    "org.postgresql", "postgresql", "42.7.13", "6e0e4cc2d8cae902084f8a2b18728b073a6fd9d1f87c9d8bff8f298c18185b93"
)
# Only a ResourceManager of YARN needs them, which nothing but tests and benchmarks starts.
YARN_CRYPTOGRAPHY = tuple(
    Artefact("org.bouncycastle", name, "1.82", sha256)
    for name, sha256 in (
        ("bcprov-jdk18on", "14cde2fdfaa8890480a8e5b67aceef0c90f96682c1e23c133bafdc9e0b3255ce"),
        ("bcutil-jdk18on", "4420691958ad1c0ba275a6d6d8a6317adbdbdc9277055b6a72aa89c88cda8c7d"),
        ("bcpkix-jdk18on", "bdc723e20834832ac6af136cb5b5ff05e43b71d4fa151cc6510d9212ee086e63"),
    )
)
# The project's own artefact first; where a mirror does not serve it, Sedona's jar carries the same classes.
GRAPHFRAMES = (
    Artefact("io.graphframes", "graphframes-spark4_2.13", "0.9.2", None),
    Artefact(
        "org.apache.sedona",
        "sedona-spark-shaded-4.0_2.13",
        "1.8.0",
        "c847cec67cd06b43c7a2f67086fa56fd6044564a539128e598cf68262fe53a2f",
    ),
)

# What these artefacts ask for and Spark ships itself (often newer), or no code path here needs.
_KEPT_OUT = (
    "org.scala-lang:*", "io.netty:*", "org.slf4j:*", "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime", "io.unitycatalog:*", "org.apache.logging.log4j:*",
    "com.google.code.findbugs:*", "org.roaringbitmap:*", "com.fasterxml.jackson.core:*",
    "com.fasterxml.jackson.datatype:*", "org.apache.parquet:*", "javax.annotation:*", "org.locationtech.jts:*",
    "org.xerial.snappy:*", "io.airlift:*", "commons-pool:*", "com.github.luben:*", "org.apache.spark:*",
    "org.apache.hive:hive-common", "org.apache.hive:hive-serde", "org.apache.commons:*", "org.apache.thrift:*",
)  # fmt: skip


@dataclass(frozen=True)
class Jars:
    """The paths of the resolved jars, by purpose."""

    delta: tuple[Path, ...]
    hadoop_services: Path
    mongo_standin: tuple[Path, ...]
    graphframes: Path
    hive_llap: Path

    @property
    def spark(self) -> tuple[Path, ...]:
        """What Spark's drivers and executors need beyond Spark's own jars."""
        return (*self.delta, self.graphframes, self.hive_llap)


def pyspark_home() -> Path:
    """The folder of the installed pyspark: `bin/`, and `jars/` with Spark, Hive and the Hadoop client."""
    import pyspark

    return Path(pyspark.__file__).parent


def ensure_jars(cache: Path, on_step: Callable[[str], None] = lambda step: None) -> Jars:
    """Give the jars, fetching what is missing; each is held to its pinned checksum.

    Args:
        cache: the folder that keeps them.
        on_step: told what is being fetched.

    Raises:
        ArtefactError: one cannot be fetched, or is not what was pinned.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        always = (*DELTA, HIVE_LLAP, HADOOP_SERVICES, *MONGO_STANDIN)
        missing = [artefact for artefact in always if not (folder / artefact.file).exists()]
        if missing:
            on_step(f"fetching {len(missing)} JVM artefacts")
            _fetch(missing, cache)
        graphframes = _graphframes(cache, on_step)
        _verify((*always, graphframes), folder)
    return Jars(
        delta=tuple(folder / artefact.file for artefact in DELTA),
        hadoop_services=folder / HADOOP_SERVICES.file,
        mongo_standin=tuple(folder / artefact.file for artefact in MONGO_STANDIN),
        graphframes=folder / graphframes.file,
        hive_llap=folder / HIVE_LLAP.file,
    )


def ensure_further(
    artefacts: Sequence[Artefact], cache: Path, on_step: Callable[[str], None] = lambda step: None
) -> tuple[Path, ...]:
    """Give jars that only some machines need, as `ensure_jars` does.

    Raises:
        ArtefactError: one cannot be fetched, or is not what was pinned.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        missing = [artefact for artefact in artefacts if not (folder / artefact.file).exists()]
        if missing:
            on_step(f"fetching {', '.join(artefact.name for artefact in missing)}")
            _fetch(missing, cache)
        _verify(artefacts, folder)
    return tuple(folder / artefact.file for artefact in artefacts)


def _graphframes(cache: Path, on_step: Callable[[str], None]) -> Artefact:
    for candidate in GRAPHFRAMES:
        if (cache / "jars" / candidate.file).exists():
            return candidate
    on_step("fetching GraphFrames")
    for candidate in GRAPHFRAMES[:-1]:
        try:
            _fetch([candidate], cache)
        except ArtefactError:
            continue
        return candidate
    _fetch([GRAPHFRAMES[-1]], cache)
    return GRAPHFRAMES[-1]


def _fetch(artefacts: list[Artefact], cache: Path) -> None:
    ivy = cache / "ivy"
    command = [
        str(pyspark_home() / "bin" / "spark-submit"),
        "--conf", f"spark.jars.ivy={ivy}",
        "--packages", ",".join(artefact.coordinate for artefact in artefacts),
        "--exclude-packages", ",".join(_KEPT_OUT),
        # Any class that ends at once: the resolving is what is wanted.
        "--class", "org.apache.hadoop.util.VersionInfo", "spark-internal",
    ]  # fmt: skip
    environment = {**os.environ, "JAVA_HOME": str(java_home(cache)), "SPARK_LOCAL_IP": "127.0.0.1"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    (cache / "resolve.log").write_text(answer.stdout + answer.stderr, encoding="utf-8")
    for artefact in artefacts:
        fetched = ivy / "jars" / f"{artefact.group}_{artefact.file}"
        if not fetched.exists():
            raise ArtefactError(
                f"{artefact.coordinate} could not be fetched from the configured Maven repositories.",
                f"Check the network or the mirror; Spark's resolver wrote {cache / 'resolve.log'}.",
            )
        draft = cache / "jars" / f".{artefact.file}"
        shutil.copyfile(fetched, draft)
        draft.replace(cache / "jars" / artefact.file)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _verify(artefacts: Sequence[Artefact], folder: Path) -> None:
    """Hold each jar to its digest; one whose size and time have not changed since is not read again."""
    record = folder / "verified.json"
    known: dict[str, list[int | str]] = json.loads(record.read_text()) if record.exists() else {}
    seen: dict[str, list[int | str]] = {}
    for artefact in artefacts:
        path = folder / artefact.file
        state = path.stat()
        entry = known.get(artefact.file)
        digest = str(entry[2]) if entry and entry[:2] == [state.st_size, state.st_mtime_ns] else sha256_of(path)
        wanted = artefact.sha256 or (str(entry[2]) if entry else digest)
        if digest != wanted:
            raise ArtefactError(
                f"{path} is not the pinned {artefact.coordinate}: its SHA-256 is {digest}, expected {wanted}.",
                "Remove the file and run `make setup` again.",
            )
        seen[artefact.file] = [state.st_size, state.st_mtime_ns, digest]
    # What is known of the others stays: not every call is about all of them.
    if (merged := {**known, **seen}) != known:
        draft = record.with_suffix(".draft")
        draft.write_text(json.dumps(merged, indent=1))
        draft.replace(record)


def main() -> None:
    """Fetch what is missing: `python -m lakehouse.artefacts`; with `postgresql`, that driver too."""
    from lakehouse.settings import load_settings

    cache = load_settings().cache
    ensure_jars(cache, print)
    if sys.argv[1:] == ["postgresql"]:
        ensure_further([POSTGRESQL_DRIVER], cache, print)


if __name__ == "__main__":
    from lakehouse.cli import run_safely

    run_safely(main)
