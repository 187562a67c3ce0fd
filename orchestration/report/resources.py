"""What a run used: memory, time of processors, disks, and Spark's stages."""

import markupsafe

from orchestration.report.charts import Table
from orchestration.report.facts import Facts, Row
from orchestration.report.section import Section, as_it_is, section, table_of
from orchestration.report.wording import count, large, seconds, share, size


def resources(facts: Facts) -> Section:
    """The section on what the run used."""
    return section(
        facts,
        "resources",
        "Resources",
        "The largest memory that was seen of each process, and how full disks and HDFS are.",
        (("resources", _resources), ("applications", _applications), ("stages", _stages)),
    )


def _resources(rows: tuple[Row, ...]) -> list[Table]:
    processes = [row for row in rows if row["peak_memory_mb"] is not None]
    stores = [row for row in rows if row["used_share"] is not None]
    top = max((row["peak_memory_mb"] for row in processes), default=1)
    made = []
    if processes:
        made.append(
            table_of(
                "Processes",
                processes,
                (
                    ("Process", "resource", None),
                    (
                        "Peak memory",
                        lambda row: _barred(size(row["peak_memory_mb"] * 2**20), row["peak_memory_mb"] / top),
                        as_it_is,
                    ),
                    ("CPU time", "cpu_seconds", seconds),
                ),
            )
        )
    if stores:
        made.append(
            table_of(
                "Room",
                stores,
                (
                    ("What", "resource", None),
                    ("In use", lambda row: _barred(share(row["used_share"]), row["used_share"]), as_it_is),
                    ("Used", "used_bytes", size),
                    ("Of", "capacity_bytes", size),
                ),
            )
        )
    return made


def _barred(figure: str, part: float) -> markupsafe.Markup:
    """A figure and, beside it, its share as a bar."""
    width = f"{100 * max(0.0, min(1.0, part)):.1f}"
    return markupsafe.Markup(
        '<span class="barred"><span>{}</span><svg class="bar" viewBox="0 0 100 8" width="110" height="8" '
        'preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8" rx="2"/>'
        '<rect width="{}" height="8" rx="2"/></svg></span>'
    ).format(figure, width)


def _applications(rows: tuple[Row, ...]) -> list[Table]:
    return [
        table_of(
            "Spark, by application",
            rows,
            (
                ("Application", "application_name", None),
                ("Stages", "stages", count),
                ("Tasks", "tasks", count),
                ("Failed tasks", "failed_tasks", count),
                ("In tasks", "run_seconds", seconds),
                ("CPU", "cpu_seconds", seconds),
                ("GC", "gc_seconds", seconds),
                ("Rows read", "input_rows", large),
                ("Rows written", "output_rows", large),
                ("Shuffled", "shuffle_bytes", size),
                ("Spilled", "spilled_bytes", size),
            ),
        )
    ]


def _stages(rows: tuple[Row, ...]) -> list[Table]:
    return [
        table_of(
            "The longest Spark stages",
            rows,
            (
                ("Stage", lambda row: f"{row['application_name']} {row['stage_id']}", None),
                ("Call", "name", None),
                ("Took", "seconds", seconds),
                ("Tasks", "tasks", count),
                ("CPU", "cpu_seconds", seconds),
                ("GC", "gc_seconds", seconds),
                ("Rows read", "input_rows", large),
                ("Shuffle read", "shuffle_read_bytes", size),
                ("Shuffle written", "shuffle_write_bytes", size),
                ("Spilled", "spilled_bytes", size),
                ("Peak memory", "peak_memory_bytes", size),
            ),
        )
    ]
