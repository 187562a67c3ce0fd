from pathlib import Path

import yaml

from serving.marts import MARTS, Index
from serving.tasks import Slice, Target, slices

TARGET = Target("mongodb://writer:hunter2@db/", "tmdb", "marts")
GOLD = Path(__file__).resolve().parents[3] / "dbt_project" / "models" / "gold"


def test_every_mart_is_declared_once_with_a_key_and_indexes_of_distinct_names() -> None:
    assert len({mart.name for mart in MARTS}) == len(MARTS)
    for mart in MARTS:
        assert mart.key
        assert mart.table == f"gold.{mart.name}"
        assert len({index.name for index in mart.indexes}) == len(mart.indexes)


def test_keys_and_indexes_are_on_columns_of_the_contract() -> None:
    for mart in MARTS:
        (described,) = GOLD.glob(f"*/{mart.name}.yml")
        (model,) = yaml.safe_load(described.read_text(encoding="utf-8"))["models"]
        columns = {column["name"] for column in model["columns"]}
        fields = {field.partition(".")[0] for index in mart.indexes for field, _ in index.keys}
        assert fields.union(mart.key) - columns == set(), mart.name


def test_an_index_has_the_name_that_mongodb_gives_it() -> None:
    assert Index((("a", 1), ("b.c", -1))).name == "a_1_b.c_-1"


def test_a_target_does_not_show_its_uri() -> None:
    assert "hunter2" not in repr(Slice(TARGET, None, None))


def test_slices_meet_end_to_end() -> None:
    parts = slices(TARGET, [f"{number:03}" for number in range(100)], 4)
    assert [(part.first, part.end) for part in parts] == [
        (None, "025"),
        ("025", "050"),
        ("050", "075"),
        ("075", None),
    ]


def test_few_ids_give_few_slices() -> None:
    assert [(part.first, part.end) for part in slices(TARGET, [], 4)] == [(None, None)]
    assert [(part.first, part.end) for part in slices(TARGET, ["a", "a"], 4)] == [(None, "a"), ("a", None)]
