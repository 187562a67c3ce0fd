"""Movies that TMDB failed to answer for, asked for once more: what a replay of the quarantine needs."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from ingestion.bronze import Passed
from ingestion.reasons import Reason
from ingestion.records import Record, Reject
from ingestion.tmdb.session import open_session
from ingestion.tmdb.tally import Tally
from lakehouse.settings import Settings


def refetch(settings: Settings, as_of: datetime, tally: Tally) -> Callable[[list[str]], Iterable[Record | Reject]]:
    """Give what asks for movies by id; nothing is asked before it is called.

    Args:
        settings: the sections `tmdb` and `ingest`.
        as_of: the observation time of what comes.
        tally: where the requests are counted.
    """

    def ask(movie_ids: list[str]) -> Iterator[Record | Reject]:
        tmdb = settings.tmdb
        token = tmdb.token.get_secret_value()
        with open_session(tmdb.url, token, tmdb, settings.ingest.max_record_bytes, tally) as session:
            asked = iter(movie_ids)
            for chunk in session.chunks(map(int, movie_ids), lambda movie_id: None, as_of, tmdb.chunk_movies):
                for outcome, movie_id in zip(chunk, asked, strict=False):
                    yield _missing(movie_id) if isinstance(outcome, Passed) else outcome

    return ask


def _missing(movie_id: str) -> Reject:
    return Reject("", Reason.FETCH_FAILED, f"GET /movie/{movie_id}: TMDB no longer has it", movie_id=movie_id)
