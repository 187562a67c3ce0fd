"""What a batch is, how far it has come, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from ingestion.errors import BatchError

# Delta's statistics keep 32 characters of a text. A batch id that fits lets a lookup skip the batch's own
# files.
BATCH_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """One ingestion: everything it lands carries these three."""

    batch_id: str
    source: str
    as_of: datetime

    def __post_init__(self) -> None:
        """Refuse an id that would not fit.

        Raises:
            BatchError: the id is empty or longer than 32 characters.
        """
        if not 0 < len(self.batch_id) <= BATCH_ID_LENGTH:
            raise BatchError(
                f"The batch id {self.batch_id!r} has {len(self.batch_id)} characters.",
                f"Give one of 1 to {BATCH_ID_LENGTH}.",
            )


class Progress(msgspec.Struct, frozen=True):
    """How far a batch has come.

    It is written into each commit of the batch, so it is never ahead of the data.

    `changed` counts landed records that show more than new votes or popularity (of assumed observation times only),
    `missing` movies that TMDB no longer has.

    `digest` is a hash over everything read so far: a batch goes on only over the same content. `earliest` and
    `watermark` are the first and last stated observation time; None where none was stated.
    """

    chunk: int = 0
    requested: int = 0
    landed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    payload_bytes: int = 0
    earliest: datetime | None = None
    watermark: datetime | None = None
    endpoints: tuple[str, ...] = ()
    digest: str = ""
    changed: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch; `status` is `running`, `succeeded` or `failed`. The fields are those of `bronze.batches`.

    `payload_bytes` (bytes of JSON read, as received) is for people and stands in no table.
    """

    batch_id: str
    source: str
    endpoint: str
    window_start: datetime | None
    window_end: datetime | None
    requested: int
    landed: int
    unchanged: int
    quarantined: int
    duplicates: int
    started_at: datetime
    finished_at: datetime | None
    status: str
    watermark: datetime | None
    payload_bytes: int
    as_of: datetime
    changed: int | None = None
    missing: int = 0
    asked: str | None = None


def summarise(
    batch: Batch, progress: Progress, status: str, started_at: datetime, finished_at: datetime | None
) -> BatchSummary:
    """Give the summary of a batch that ended with `status`."""
    endpoints = progress.endpoints
    return BatchSummary(
        batch_id=batch.batch_id,
        source=batch.source,
        endpoint="mixed" if len(endpoints) > 1 else "".join(endpoints),
        window_start=progress.earliest,
        window_end=progress.watermark,
        requested=progress.requested,
        landed=progress.landed,
        unchanged=progress.unchanged,
        quarantined=progress.quarantined,
        duplicates=progress.duplicates,
        started_at=started_at,
        finished_at=finished_at,
        status=status,
        watermark=progress.watermark,
        payload_bytes=progress.payload_bytes,
        as_of=batch.as_of,
    )
