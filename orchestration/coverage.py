"""How much of the project is documented, tested and traced, table by table and layer by layer."""

from dataclasses import dataclass

from orchestration.column_lineage import ColumnLineage
from orchestration.tables import Table, layer_rank


@dataclass(frozen=True)
class Coverage:
    """Counts over the columns of some tables.

    Args:
        name: the layer, or 'all layers'.
        tables: how many tables.
        columns: how many columns they have.
        documented: how many of these have a description.
        tested: how many a data test names or a unit test expects.
        traceable: how many are columns of models and snapshots, whose SQL is known; those of sources have no parents.
        traced: how many of the traceable have a parent.
    """

    name: str
    tables: int
    columns: int
    documented: int
    tested: int
    traceable: int
    traced: int


def tested_columns(table: Table) -> tuple[str, ...]:
    """The columns that a test speaks of, in the table's order."""
    return tuple(
        column.name for column in table.columns if column.name in table.data_tested or column.name in table.unit_tested
    )


def undocumented_columns(table: Table) -> tuple[str, ...]:
    """The columns without a description, in the table's order."""
    return tuple(column.name for column in table.columns if not column.description)


def untraced_columns(table: Table, lineage: ColumnLineage) -> tuple[str, ...]:
    """The columns of a model for which no parent is known; none for a source."""
    if table.kind == "source":
        return ()
    return tuple(column.name for column in table.columns if not lineage.parents.get((table.id, column.name)))


def per_layer(tables: list[Table], lineage: ColumnLineage) -> list[Coverage]:
    """The coverage of each layer, in the order in which data flows; the last one is that of all layers."""
    layers = sorted({table.layer for table in tables}, key=lambda layer: (layer_rank(layer), layer))
    return [
        *(_count(layer, [table for table in tables if table.layer == layer], lineage) for layer in layers),
        _count("all layers", tables, lineage),
    ]


def _count(name: str, tables: list[Table], lineage: ColumnLineage) -> Coverage:
    columns = sum(len(table.columns) for table in tables)
    traceable = sum(len(table.columns) for table in tables if table.kind != "source")
    return Coverage(
        name=name,
        tables=len(tables),
        columns=columns,
        documented=columns - sum(len(undocumented_columns(table)) for table in tables),
        tested=sum(len(tested_columns(table)) for table in tables),
        traceable=traceable,
        traced=traceable - sum(len(untraced_columns(table, lineage)) for table in tables),
    )
