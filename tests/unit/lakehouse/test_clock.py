from datetime import UTC, datetime

import pytest

from lakehouse.clock import instant_text, parse_instant
from lakehouse.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(instant_text(instant)) == instant


def test_what_is_no_instant_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"31\.01\.2026"):
        parse_instant("31.01.2026")
