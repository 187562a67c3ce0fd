"""The one place where time enters: parsed from text, or read off the wall clock at the CLI's edge."""

from datetime import UTC, datetime

from lakehouse.errors import ConfigurationError


def now() -> datetime:
    """Give the present instant, in UTC, whole seconds. Called at the CLI's edge only; logic takes `as_of`."""
    return datetime.now(UTC).replace(microsecond=0)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 date or instant; one without a zone is UTC.

    Raises:
        ConfigurationError: `text` is no ISO 8601 date or instant.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not an ISO 8601 date or instant.", "Write it as 2026-01-31 or 2026-01-31T08:00:00Z."
        ) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """Write an instant as `2026-01-31T08:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
