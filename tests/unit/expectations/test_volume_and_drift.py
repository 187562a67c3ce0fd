from datetime import UTC, datetime, timedelta

import pytest

from expectations.history import CountedBefore, deviations, stability_index
from lakehouse.thresholds import Drift, Volume

# A Thursday.
NOW = datetime(2026, 1, 15, 6, tzinfo=UTC)
VOLUME = Volume(recent_runs=7, minimum_runs=5, warning_deviations=4, least_spread=0.02)
DRIFT = Drift(recent_runs=3, minimum_runs=2, minimum_rows=100, warning_index=0.25)


def daily(*rows: int) -> list[CountedBefore]:
    """A run a day, the latest first, yesterday's the first."""
    return [CountedBefore(NOW - timedelta(days=day), count) for day, count in enumerate(rows, start=1)]


def test_distance_from_the_median_is_in_scaled_mads() -> None:
    # the median is 1,000; the distances from it 0, 50, 50, 100, 100, of which the median is 50
    found = deviations(1500, NOW, daily(1000, 950, 1050, 900, 1100), VOLUME)
    assert found.measure == pytest.approx(500 / (1.4826 * 50))
    assert found.usual == 1000
    assert "1,500 rows; the median of 5 runs is 1,000" in found.detail


def test_one_odd_run_before_does_not_move_what_is_usual() -> None:
    assert deviations(1000, NOW, daily(1000, 990, 1010, 5, 1000), VOLUME).measure == 0


def test_runs_that_were_all_the_same_leave_a_least_spread() -> None:
    assert deviations(1050, NOW, daily(*[1000] * 6), VOLUME).measure == pytest.approx(50 / 20)
    assert deviations(3, NOW, daily(*[0] * 6), VOLUME).measure == 3


def test_with_too_few_runs_nothing_is_said() -> None:
    found = deviations(1, NOW, daily(1000, 1000, 1000, 1000), VOLUME)
    assert (found.measure, found.usual) == (0, None)
    assert "4 runs before, 5 are needed" in found.detail


def test_the_latest_runs_count() -> None:
    assert deviations(100, NOW, daily(*[100] * 7, *[9] * 50)[:14], VOLUME).usual == 100


def test_a_weekday_is_held_to_its_own_runs_where_there_are_enough() -> None:
    # Thursdays bring 10,000 rows, other days 1,000
    days = [CountedBefore(NOW - timedelta(days=day), 10_000 if day % 7 == 0 else 1000) for day in range(1, 40)]
    found = deviations(10_000, NOW, days, VOLUME)
    assert (found.measure, found.usual) == (0, 10_000)
    assert "5 runs of a Thursday" in found.detail
    assert deviations(1000, NOW, days, VOLUME).measure > 4
    assert deviations(1000, NOW, days[:30], VOLUME).usual == 1000, "of four Thursdays nothing is concluded"


def test_the_index_sums_what_each_share_moved() -> None:
    before = [{"en": 800, "fr": 200}, {"en": 600, "fr": 400}]
    found = stability_index({"en": 350, "fr": 650}, before, DRIFT)
    # shares before are 0.7 and 0.3, now 0.35 and 0.65: -0.35 ln(0.5) + 0.35 ln(0.65 / 0.3)
    assert found.measure == pytest.approx(0.35 * 0.693147 + 0.35 * 0.773190, rel=1e-5)
    assert found.detail == "against 2 runs; moved most: fr 0.650 (was 0.300), en 0.350 (was 0.700)"
    assert stability_index({"en": 70, "fr": 30}, before, DRIFT).measure == pytest.approx(0)


def test_a_bin_that_is_new_or_gone_counts() -> None:
    assert stability_index({"en": 50, "xx": 50}, [{"en": 100}] * 2, DRIFT).measure > 0.25
    assert stability_index({"en": 100}, [{"en": 50, "xx": 50}] * 2, DRIFT).measure > 0.25


@pytest.mark.parametrize(
    ("bins", "before", "said"),
    [
        ({"en": 1000}, [{"fr": 1000}], "1 runs before, 2 are needed"),
        ({"en": 1000}, [{"fr": 99}] * 3, "0 runs before, 2 are needed"),
        ({"en": 99}, [{"fr": 1000}] * 2, "99 rows, 100 are needed"),
        ({}, [{"fr": 1000}] * 2, "0 rows, 100 are needed"),
    ],
)
def test_of_few_runs_or_rows_nothing_is_concluded(
    bins: dict[str, int], before: list[dict[str, int]], said: str
) -> None:
    found = stability_index(bins, before, DRIFT)
    assert found.measure == 0
    assert said in found.detail
