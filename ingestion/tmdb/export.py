"""TMDB's daily export: the ids of all movies there are, gzip JSON Lines, one object a line. No token is needed."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import tenacity

from ingestion.reasons import Reason
from ingestion.records import RawRecord, Reject
from ingestion.sources.blocks import read_blocks
from ingestion.sources.lines import split_lines
from ingestion.tmdb.failures import AGAIN, TmdbError, unreachable
from lakehouse.sections import Tmdb

_READY_HOURS = 8
"""TMDB makes the file at about 7:00 UTC and has it ready by 8:00."""

_TRIED_DAYS = 3
_LONGEST_LINE = 64 * 1024


class _Line(msgspec.Struct):
    id: int


class _NotThere(Exception):
    """There is no export of that day."""


_decode = msgspec.json.Decoder(_Line).decode


def file_name(day: date) -> str:
    """The name of a day's export."""
    return f"movie_ids_{day:%m_%d_%Y}.json.gz"


async def download(url: str, as_of: datetime, folder: Path, pace: Tmdb) -> Path:
    """Fetch the newest export that was ready at `as_of`; one of the two days before where it is not there.

    It is kept under its name in `folder`, so that a batch that was killed reads the same file again.

    Raises:
        TmdbError: there is no export, or it cannot be fetched.
    """
    newest = (as_of - timedelta(hours=_READY_HOURS)).date()
    days = [newest - timedelta(days=back) for back in range(_TRIED_DAYS)]
    folder.mkdir(parents=True, exist_ok=True)
    for day in days:
        path = folder / file_name(day)
        if path.exists():
            return path
        try:
            await _fetch(f"{url}/{file_name(day)}", path, pace)
        except _NotThere:
            continue
        return path
    raise TmdbError(
        f"{url} has no export of movie ids for {', '.join(map(str, days))}.",
        "TMDB keeps them for three months; check the as-of time and tmdb.export_url.",
    )


async def _fetch(url: str, path: Path, pace: Tmdb) -> None:
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type((httpx.TransportError, httpx.DecodingError, httpx.HTTPStatusError)),
        stop=tenacity.stop_after_attempt(pace.attempts),
        wait=tenacity.wait_random_exponential(pace.backoff_seconds, max=pace.longest_wait_seconds),
        reraise=True,
    )
    try:
        await retrying(_fetch_once, url, path, pace)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise TmdbError(f"{url} answers with HTTP {status} at every attempt.", f"Try again later. {AGAIN}") from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        if isinstance(error, httpx.TransportError):
            raise unreachable(error, url) from error
        raise TmdbError(f"{url} cannot be read: {error}.", f"Try again later. {AGAIN}") from error


async def _fetch_once(url: str, path: Path, pace: Tmdb) -> None:
    draft = path.with_suffix(".part")
    async with (
        httpx.AsyncClient(
            timeout=httpx.Timeout(pace.timeout_seconds), headers={"User-Agent": "tmdb-lakehouse"}
        ) as http,
        http.stream("GET", url) as response,
    ):
        # The file host is a bucket: what is not there is 403 or 404.
        if response.status_code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
            raise _NotThere
        response.raise_for_status()
        with draft.open("wb") as file:
            async for part in response.aiter_raw():
                file.write(part)
    draft.replace(path)


def ids(path: Path) -> Iterator[int | Reject]:
    """Stream the ids of an export; a line that is none becomes a reject. Memory holds one block.

    Raises:
        TmdbError: the file is damaged, or ends early: with a part of it, the other movies would pass for known.
    """
    for line in split_lines(read_blocks(path), path.name, _LONGEST_LINE):
        if not isinstance(line, RawRecord):
            if line.reason in (Reason.TRUNCATED_GZIP, Reason.CORRUPT_GZIP):
                raise TmdbError(f"The export of ids is damaged: {line.detail}.", f"Try again later. {AGAIN}")
            yield line
            continue
        try:
            yield _decode(line.text).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            text = line.text.decode("utf-8", errors="backslashreplace")
            yield Reject(text, Reason.INVALID_JSON, f"{line.place}: not a line of an id export: {error}")
