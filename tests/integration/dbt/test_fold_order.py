"""Silver and Gold are a function of the observations, whatever batches they came in, and in whatever order."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import Settings, load_settings
from tests import lake
from tests.instance import lakehouse, selected

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("long_tests")]

_GENRES = [{"id": 18, "name": "Drama"}, {"id": 35, "name": "Comedy"}, {"id": 10769, "name": "Foreign"}]


def _observations() -> list[str]:
    """Some 60 observations of 8 movies: partial, contradictory, some at one instant, names that change."""
    dice = random.Random(20260101)
    lines = []
    for _ in range(60):
        movie_id = 700 + dice.randrange(8)
        person = dice.randrange(1, 7)
        fields: dict[str, Any] = {
            "title": f"Title {dice.randrange(4)}",
            "overview": dice.choice(["", "A wonderful day.", "A horrible, sad end.", None]),
            "release_date": dice.choice(["", "1999-12-31", "2024-02-29", "2025-06-01"]),
            "popularity": dice.choice([0, 3, 7.25, "8.5", None]),
            "vote_average": dice.choice([0, 6.5, 7]),
            "vote_count": dice.choice([0, 10, 250]),
            "budget": dice.choice([0, 1000]),
            "revenue": dice.choice([0, 5000]),
            "genres": dice.sample(_GENRES, dice.randrange(0, 3)),
            "keywords": {"keywords": [{"id": 5, "name": f"keyword {dice.randrange(2)}"}][: dice.randrange(2)]},
            "production_companies": [{"id": 40 + person % 2, "name": f"Studio {dice.randrange(2)}"}],
            "reviews": {
                "results": [
                    {"id": f"r{number}", "author": "A", "content": dice.choice(["Wonderful.", "Bad.", ""])}
                    for number in range(dice.randrange(0, 3))
                ]
            },
            "credits": {
                "cast": [
                    {
                        "id": person,
                        "name": f"Name {person} {dice.randrange(2)}",
                        "order": order,
                        "credit_id": f"c{order}",
                    }
                    for order in range(dice.randrange(0, 4))
                ],
                "crew": [{"id": 90 + person, "name": f"D {person}", "job": "Director", "credit_id": f"d{person}"}],
            },
        }
        kept = {name: value for name, value in fields.items() if dice.random() < 0.6}
        day = f"2026-01-{dice.randrange(1, 9):02d}"
        lines.append(json.dumps({"observed_by": day, "record": {"id": movie_id, **kept}}))
    return lines


@pytest.fixture(scope="module")
def settings(long_tests: None, stack: dict[str, str]) -> Iterator[Settings]:
    with selected(stack):
        yield load_settings()


def _lake_of(
    stack: dict[str, str], settings: Settings, batches: list[list[str]], folder: Path
) -> dict[str, tuple[int, str]]:
    """Silver and Gold (but the network) of an empty lake that these batches came into, one after the other."""
    lake.drop(settings)
    folder.mkdir()
    for number, lines in enumerate(batches):
        path = folder / f"{number}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for command in (
            # One as-of time: when a batch was ingested is the one thing that Silver may show of it.
            ["ingest", "--source", "file", "--path", str(path), "--as-of", "2026-02-01"],
            ["build", "--selector", "bronze_to_silver"],
            ["build", "--selector", "marts"],
        ):
            answer = lakehouse(stack, *command, timeout=900)
            assert answer.returncode == 0, answer.stdout + answer.stderr
    # A snapshot knows what it saw, so it may depend on the batches; see the data dictionary.
    return lake.content(settings, "silver", "gold_build", without=("silver.movies_history",))


@pytest.mark.parametrize("seed", [1, 2])
def test_any_split_and_order_of_the_observations_gives_the_same_silver_and_gold(
    stack: dict[str, str], settings: Settings, tmp_path: Path, seed: int
) -> None:
    observations = _observations()
    at_once = _lake_of(stack, settings, [observations], tmp_path / "once")
    assert at_once["gold_build.movie_performance"][0] == at_once["silver.movies"][0] > 5
    for selector in ("bronze_to_silver", "marts"):
        answer = lakehouse(stack, "build", "--selector", selector, "--full-refresh", timeout=900)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    assert lake.content(settings, "silver", "gold_build", without=("silver.movies_history",)) == at_once

    dice = random.Random(seed)
    shuffled = dice.sample(observations, len(observations))
    cuts = sorted(dice.sample(range(1, len(shuffled)), 2))
    split = [shuffled[: cuts[0]], shuffled[cuts[0] : cuts[1]], shuffled[cuts[1] :]]
    assert _lake_of(stack, settings, split, tmp_path / "split") == at_once
