"""The errors of ingestion that a person is meant to read."""

from lakehouse.errors import LakehouseError


class SourceError(LakehouseError):
    """The source cannot be read: a path that is missing, unreadable, or holds no JSON."""


class BatchError(LakehouseError):
    """The batch cannot be landed as asked: its id was used for other content."""


class QuarantineError(LakehouseError):
    """What was asked for is not in quarantine, or not one text."""


class DriftError(LakehouseError):
    """A batch does not give what Silver needs."""

    is_final = True
