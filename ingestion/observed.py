"""When a movie was observed: reading the dates that dated observations carry."""

import re
from datetime import UTC, datetime

_MONTH = re.compile(r"(\d{4})-(\d{2})")

# TMDB began in 2008. An earlier date is a misread one, and would also meet Parquet's calendar change.
_EARLIEST_YEAR = 1970


def parse_observed_at(text: str) -> datetime:
    """Read `2017-09`, `2017-10-26` or an ISO 8601 instant as an instant in UTC.

    A coarse date stands for its first instant: `2017-09` is 2017-09-01T00:00:00Z. An instant without a zone
    is UTC.

    Raises:
        ValueError: `text` is none of the three, or lies before 1970.
    """
    month = _MONTH.fullmatch(text)
    if month:
        instant = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
    else:
        instant = datetime.fromisoformat(text)
        try:
            instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"{text!r} is outside the calendar") from error
    if instant.year < _EARLIEST_YEAR:
        raise ValueError(f"{text!r} lies before {_EARLIEST_YEAR}")
    return instant
