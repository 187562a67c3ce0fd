"""docs/observability.md names every table and column of `ops`, and every metric, as they are."""

import re
from pathlib import Path

import pytest

from lakehouse.ops.journal import read_runs
from lakehouse.ops.metrics import registry_of
from lakehouse.ops.schema import TABLES, OpsTable
from tests.instance import ROOT
from tests.unit.ops.sample_run import good_run

_PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_is_described_as_it_is_declared(table: OpsTable) -> None:
    _, _, rest = _PAGE.partition(f"\n### {table.full_name}\n")
    section = re.split(r"\n##+ ", rest)[0]
    assert f"{table.comment[1:]}. Key: {', '.join(f'`{name}`' for name in table.key)}." in section
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| (.*) \|$", section, flags=re.MULTILINE)
    told = [(name, kind, meaning.replace("\\|", "|")) for name, kind, meaning in rows]
    assert told == [(column.name, column.kind, column.comment) for column in table.columns]


def test_no_table_is_described_that_is_not_there() -> None:
    assert re.findall(r"^### (ops\.\w+)$", _PAGE, flags=re.MULTILINE) == [table.full_name for table in TABLES]


def test_every_metric_is_named(tmp_path: Path) -> None:
    good_run(tmp_path)
    metrics = {metric.name for metric in registry_of(read_runs(tmp_path)).collect()}
    assert set(re.findall(r"`(lakehouse_\w+)`", _PAGE)) == metrics


def test_every_column_of_the_questions_is_there() -> None:
    columns = {column.name for table in TABLES for column in table.columns}
    for statement in re.findall(r"(?:^    .*\n)+", _PAGE.partition("## Questions")[2], flags=re.MULTILINE):
        words = set(re.findall(r"\b[a-z]+_[a-z_]+\b", re.sub(r"'[^']*'", "", statement)))
        tables = {table.name for table in TABLES}
        assert words - columns - tables - {"max_by"} == set()
