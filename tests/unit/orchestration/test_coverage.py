from small_project import catalog, manifest

from orchestration import coverage
from orchestration.column_lineage import ColumnLineage
from orchestration.coverage import Coverage
from orchestration.tables import read_tables

LINEAGE = ColumnLineage(
    {
        ("model.shop.films", "film_id"): (("source.shop.bronze.raw_films", "payload"),),
        ("model.shop.films", "title"): (),
    },
    {},
)


def test_layers_are_counted_in_the_order_in_which_data_flows_and_then_together() -> None:
    assert coverage.per_layer(read_tables(manifest(), catalog()), LINEAGE) == [
        Coverage("bronze", tables=1, columns=2, documented=2, tested=0, traceable=0, traced=0),
        Coverage("silver", tables=3, columns=7, documented=5, tested=3, traceable=7, traced=1),
        Coverage("gold", tables=1, columns=3, documented=3, tested=2, traceable=3, traced=0),
        Coverage("all layers", tables=5, columns=12, documented=10, tested=5, traceable=10, traced=1),
    ]


def test_columns_are_named_in_the_order_of_the_table() -> None:
    tables = {table.name: table for table in read_tables(manifest(), catalog())}
    assert coverage.tested_columns(tables["films"]) == ("film_id", "director_id")
    assert coverage.undocumented_columns(tables["films"]) == ("director_id", "prices")
    assert coverage.untraced_columns(tables["films"], LINEAGE) == ("title", "director_id", "prices")
    assert coverage.untraced_columns(tables["raw_films"], LINEAGE) == ()
