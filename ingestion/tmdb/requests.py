"""What TMDB is asked for, one function a question.

The answers are read as far as the ingestion needs them: of lists, the ids; of details, everything, as received.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ingestion.bronze import Outcome, Passed
from ingestion.reasons import Reason
from ingestion.records import DefaultTime, RawRecord, Record, Reject, parse_record
from ingestion.tmdb.client import NOT_FOUND, NOT_MODIFIED, Answer, Broken, Client, GivenUp, TooLarge
from ingestion.tmdb.failures import RequestRefused, error_body

APPENDED = "credits,keywords,reviews,release_dates"
"""What comes with a movie's details in the same answer."""

LAST_PAGE = 500
"""TMDB refuses a later page of any list (code 22), whatever `total_pages` says."""

LONGEST_WINDOW_DAYS = 14
"""TMDB refuses a longer window of changes (code 20)."""


class _Identified(msgspec.Struct):
    id: int | None = None


class _Page(msgspec.Struct):
    results: list[_Identified]
    total_pages: int = 1
    total_results: int = 0


class _Genre(msgspec.Struct):
    id: int
    name: str


class _Genres(msgspec.Struct):
    genres: list[_Genre]


def _reader(kind: type[Any]) -> Callable[[Answer], Any]:
    decode = msgspec.json.Decoder(kind).decode

    def read(answer: Answer) -> Any:
        try:
            return decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Broken("a broken body") from error

    return read


_read_page = _reader(_Page)
_read_genres = _reader(_Genres)


async def genres(client: Client) -> dict[int, str]:
    """TMDB's present genres, id -> name. Cheap, and refused without a good token: also the check of the connection."""
    try:
        answer = await client.get("/genre/movie/list", read=_read_genres)
    except GivenUp as given_up:
        raise RequestRefused(
            f"TMDB's list of genres cannot be had: {given_up.reason} at every attempt.",
            "Check that tmdb.url is the address of TMDB's API, version 3, and try again later.",
        ) from given_up
    return {genre.id: genre.name for genre in answer.genres}


@dataclass(frozen=True, slots=True)
class Window:
    """Days whose changes are asked for, both ends included, UTC."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1


def windows(since: datetime, until: datetime) -> list[Window]:
    """Cut a span into windows that TMDB answers; the last day of each is the first of the next.

    TMDB takes dates, and says nothing about which of the two ends belongs to the window: with a day in common, nothing
    is lost, whichever it is.
    """
    found = []
    first, last = since.date(), until.date()
    while True:
        end = min(last, first + timedelta(days=LONGEST_WINDOW_DAYS - 1))
        found.append(Window(first, end))
        if end >= last:
            return found
        first = end


async def changed_ids(client: Client, window: Window) -> list[int]:
    """Ids that changed, each once, ascending; those of deleted movies are among them (a null row each).

    A window of more pages than TMDB gives is asked for in halves. Rows move between pages while they are asked for:
    where some came twice and others may have been missed, all pages are asked for once more.

    Raises:
        RequestRefused: one day has more pages than TMDB gives, or a page cannot be had.
    """
    found: set[int] = set()
    for _ in range(2):
        first = await _changes_page(client, window, 1)
        if first.total_pages > LAST_PAGE and window.days > 1:
            middle = window.first + timedelta(days=window.days // 2 - 1)
            before = await changed_ids(client, Window(window.first, middle))
            after = await changed_ids(client, Window(middle + timedelta(days=1), window.last))
            return sorted({*before, *after})
        if first.total_pages > LAST_PAGE:
            raise RequestRefused(
                f"On {window.first} more movies changed than TMDB lists ({first.total_pages:,} pages of {LAST_PAGE}).",
                "Ask for all movies: `lakehouse ingest --source api --from-export`.",
            )
        numbers = range(2, first.total_pages + 1)
        pages = [first, *await asyncio.gather(*(_changes_page(client, window, number) for number in numbers))]
        found |= {item.id for page in pages for item in page.results if item.id is not None}
        if len(found) >= first.total_results:
            break
    return sorted(found)


async def _changes_page(client: Client, window: Window, page: int) -> _Page:
    params: dict[str, str | int] = {
        "start_date": window.first.isoformat(),
        "end_date": window.last.isoformat(),
        "page": page,
    }
    return await _page(client, "/movie/changes", params)


async def popular_ids(client: Client, count: int) -> list[int]:
    """The ids of the most popular movies, in that order; a movie that comes again on a later page comes once.

    Fewer than `count` where TMDB's last page is reached first.
    """
    found: dict[int, None] = {}
    for number in range(1, LAST_PAGE + 1):
        page = await _page(client, "/movie/popular", {"page": number})
        found |= dict.fromkeys(item.id for item in page.results if item.id is not None)
        if len(found) >= count or number >= page.total_pages:
            break
    return list(found)[:count]


async def _page(client: Client, path: str, params: dict[str, str | int]) -> _Page:
    try:
        page = await client.get(path, params, read=_read_page)
    except (GivenUp, TooLarge) as failure:
        raise RequestRefused(
            f"Page {params['page']} of {path} cannot be had: {failure}.",
            "Without it, movies would be lost: try again later, the same command goes on.",
        ) from failure
    assert isinstance(page, _Page)
    return page


async def details(client: Client, movie_id: int, etag: str | None, as_of: datetime) -> Outcome:
    """One movie with all that is appended, as received.

    Args:
        client: the connection.
        movie_id: TMDB's id.
        etag: of the version that Bronze has; None: it has none.
        as_of: the ingestion's own time, which the observation takes.

    Returns:
        a record; what became of a movie that leaves none; or a reject: of a body that is broken at every attempt, of a
        movie that TMDB fails to answer for at every attempt (`fetch_failed`), of one that is longer than may be read.
    """
    place = f"GET /movie/{movie_id}"
    default = DefaultTime(as_of, is_assumed=True)

    def read(answer: Answer) -> Outcome:
        if answer.status == NOT_MODIFIED:
            return Passed.UNCHANGED
        if answer.status == NOT_FOUND:
            return Passed.MISSING
        record = parse_record(RawRecord(answer.body, place), default)
        if isinstance(record, Record) and record.movie_id != str(movie_id):
            text = answer.body.decode("utf-8", errors="backslashreplace")
            record = Reject(text, Reason.OTHER_MOVIE, f"{place}: the answer is movie {record.movie_id}")
        if isinstance(record, Reject):
            raise Broken("a broken body", record._replace(movie_id=str(movie_id)))
        return record._replace(etag=answer.etag)

    try:
        return await client.get(f"/movie/{movie_id}", {"append_to_response": APPENDED}, etag, read)
    except GivenUp as given_up:
        error = error_body(given_up.body)
        said = f", TMDB's error {error.status_code}: {error.status_message[:200]}" if error else ""
        text = given_up.body[:4096].decode("utf-8", errors="backslashreplace")
        detail = f"{place}: {given_up.reason} at every attempt{said}"
        return Reject(text, Reason.FETCH_FAILED, detail, place, str(movie_id))
    except TooLarge as too_large:
        text = too_large.beginning[:4096].decode("utf-8", errors="backslashreplace")
        return Reject(text, Reason.RECORD_TOO_LARGE, f"{place}: {too_large}; cut off here", place, str(movie_id))
