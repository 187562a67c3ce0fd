"""The end of a cycle: what a person wants to read, and the record that is kept of it."""

import json
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from lakehouse.clock import instant_text
from lakehouse.services import process, stack
from lakehouse.terminal import table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from orchestration.cycle import Cycle
    from orchestration.dbt import Node

SCHEMAS = ("bronze", "silver", "graph", "gold")


def row_counts(spark: "SparkSession") -> dict[str, int]:
    """Rows of every table of Bronze, Silver, graph and Gold: `schema.table` -> count. Delta's log answers."""
    names = [
        f"{schema}.{row.tableName}"
        for schema in SCHEMAS
        if spark.catalog.databaseExists(schema)
        for row in spark.sql(f"show tables in {schema}").collect()
        if not row.isTemporary
    ]
    if not names:
        return {}
    union = " union all ".join(f"select '{name}' as name, count(*) as n from {name}" for name in names)
    found = {row["name"]: int(row["n"]) for row in spark.sql(union).collect()}
    return {name: found[name] for name in names}


_FINDINGS: tuple[tuple[str, str], ...] = (
    (
        "Trending over 30 days",
        """
        select concat_ws(', ', collect_list(concat(title, ' (', cast(round(trend_score, 1) as string), ')')))
        from (
            select title, trend_score
            from gold.trending_scores
            where trend_window = '30d'
            order by trend_score desc, movie_id
            limit 3
        )
        """,
    ),
    (
        "Genre with the highest revenue",
        """
        select max_by(concat(genre_name, ' (', format_number(revenue / 1e9, 1), ' billion)'), revenue)
        from (select genre_name, sum(total_revenue) as revenue from gold.genre_analytics group by genre_name)
        """,
    ),
    (
        "Directors by mean rating",
        """
        select concat_ws(', ', collect_list(concat(
            person_name, ' (', format_number(mean_weighted_rating, 1), ' over ', total_movies, ' movies)'
        )))
        from (
            select person_name, mean_weighted_rating, total_movies
            from gold.director_rankings
            order by director_rank
            limit 3
        )
        """,
    ),
    (
        "Most central actors",
        """
        select concat_ws(', ', collect_list(concat(person_name, ' (', cast(degree as string), ' partners)')))
        from (select person_name, degree from gold.actor_centrality order by pagerank_rank limit 3)
        """,
    ),
)


def findings(spark: "SparkSession") -> list[tuple[str, str]]:
    """A few things that Gold says, as (what, answer); a mart that is empty says nothing."""
    said = []
    for title, sql in _FINDINGS:
        row = spark.sql(sql).first()
        if row is not None and row[0]:
            said.append((title, str(row[0])))
    return said


def node_costs(nodes: Sequence["Node"]) -> str:
    """Median and worst seconds of a dbt model and of a dbt test."""
    parts = []
    for kind, chosen in (
        ("model", [node for node in nodes if node.kind == "model"]),
        ("test", [node for node in nodes if node.kind == "test"]),
    ):
        if chosen:
            worst = max(chosen, key=lambda node: node.seconds)
            median = statistics.median(node.seconds for node in chosen)
            parts.append(f"{len(chosen)} {kind}s, median {median:.1f} s, worst {worst.seconds:.1f} s ({worst.name})")
    return "; ".join(parts)


def show(cycle: "Cycle", screen: Console) -> None:
    """Print the summary of a cycle that ended well, and keep its record under `home/runs`."""
    counts = row_counts(cycle.spark)
    screen.print()
    screen.print(table("Rows", ["table", "rows"], [(n, f"{c:,}") for n, c in counts.items()], right=["rows"]))
    screen.print()
    seconds = cycle.progress.seconds
    screen.print(
        table(
            "Seconds",
            ["step", "seconds"],
            [
                *((name, f"{spent:.1f}") for name, spent in seconds.items()),
                ("in all", f"{cycle.progress.elapsed:.1f}"),
            ],
            right=["seconds"],
        )
    )
    screen.print(f"\n[bold]dbt[/]   {node_costs(cycle.nodes)}")
    if cycle.gate is not None:
        screen.print(f"[bold]gate[/]  {cycle.gate.summary()}")
    said = findings(cycle.spark)
    if said:
        screen.print()
        screen.print(table("Gold says", ["", ""], said))
    _keep(cycle, counts)
    screen.print(
        "\n[bold]Where to look next[/]\n"
        '  lakehouse sql "select * from gold.movie_performance order by weighted_rating desc limit 10"\n'
        "  lakehouse hdfs -ls -R /warehouse        the tables' files on HDFS\n"
        "  make docs                               the lineage of every model, in a browser\n"
        "  lakehouse status | lakehouse down       the services, which go on running"
    )


def record(cycle: "Cycle", counts: dict[str, int]) -> dict[str, Any]:
    """What is kept of a run: seconds, rows, nodes, scores, and the memory of each process in MiB."""
    home = cycle.settings.home
    members = [member for group in stack.PROCESSES.values() for member in group]
    alive = {member: process.running(home, member) for member in members}
    return {
        "run_id": cycle.run_id,
        "finished_at": instant_text(cycle.clock()),
        "seconds": {name: round(spent, 2) for name, spent in cycle.progress.seconds.items()},
        "elapsed": round(cycle.progress.elapsed, 2),
        "rows": counts,
        "nodes": [
            {"name": node.name, "kind": node.kind, "status": node.status, "seconds": round(node.seconds, 2)}
            for node in sorted(cycle.nodes, key=lambda node: -node.seconds)
        ],
        "gate": {
            "completeness": cycle.gate.score_of("completeness"),
            "consistency": cycle.gate.score_of("consistency"),
            "accuracy": cycle.gate.score_of("accuracy"),
        }
        if cycle.gate is not None
        else None,
        "memory_mb": {
            **{name: round(process.memory_mb(found)) for name, found in alive.items() if found is not None},
            "cycle": round(process.own_memory_mb()),
        },
    }


def _keep(cycle: "Cycle", counts: dict[str, int]) -> None:
    folder = cycle.settings.home / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{cycle.run_id}.json"
    draft.write_text(json.dumps(record(cycle, counts), indent=1), encoding="utf-8")
    draft.replace(folder / f"{cycle.run_id}.json")
