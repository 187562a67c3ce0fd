from datetime import UTC, datetime

import pytest

from ingestion.observed import parse_observed_at


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-09", datetime(2017, 9, 1, tzinfo=UTC)),
        ("2017-10-26", datetime(2017, 10, 26, tzinfo=UTC)),
        ("2017-10-26T05:06:07", datetime(2017, 10, 26, 5, 6, 7, tzinfo=UTC)),
        ("2017-10-26T05:06:07Z", datetime(2017, 10, 26, 5, 6, 7, tzinfo=UTC)),
        ("2017-10-26T01:00:00+02:00", datetime(2017, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_months_dates_and_instants_are_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_observed_at(text) == instant


@pytest.mark.parametrize(
    "text", ["", "2017", "2017-13", "2017-02-30", "yesterday", "1969-12-31", "0001-01-01T00:00:00+14:00"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_observed_at(text)
