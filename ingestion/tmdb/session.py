"""TMDB asked from a thread of its own, so that fetching goes on while Spark lands what has come."""

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from ingestion.bronze import Outcome
from ingestion.tmdb.client import Client, connect
from ingestion.tmdb.requests import details
from ingestion.tmdb.tally import Tally
from lakehouse.sections import Tmdb

_T = TypeVar("_T")


class Session:
    """One connection to TMDB, held open by a thread. Make it with `open_session`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: Client) -> None:
        self._loop = loop
        self._client = client

    def ask(self, question: Callable[[Client], Awaitable[_T]]) -> _T:
        """Ask one question and wait for its answer."""

        async def answer() -> _T:
            return await question(self._client)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()

    def chunks(
        self,
        movie_ids: Iterable[int],
        etag: Callable[[int], str | None],
        as_of: datetime,
        size: int,
    ) -> Iterator[list[Outcome]]:
        """Fetch movies; give what came of them in their order, `size` at a time.

        The next chunk is asked for once the one before it is done with: at most two are under way, the one that is
        landed and the one that is fetched meanwhile.

        Args:
            movie_ids: in the order of asking.
            etag: of the version of a movie that is known; None: none is.
            as_of: the ingestion's own time.
            size: movies in a chunk.

        Raises:
            TmdbError: the batch cannot go on. The chunks before it are whole.
        """
        arrived: queue.Queue[list[Outcome] | BaseException | None] = queue.Queue()
        permits = asyncio.Semaphore(2 * size)
        fetching = asyncio.run_coroutine_threadsafe(
            self._fetch(movie_ids, etag, as_of, size, permits, arrived.put), self._loop
        )
        try:
            while (chunk := arrived.get()) is not None:
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
                self._loop.call_soon_threadsafe(_release, permits, len(chunk))
        finally:
            fetching.cancel()

    async def _fetch(
        self,
        movie_ids: Iterable[int],
        etag: Callable[[int], str | None],
        as_of: datetime,
        size: int,
        permits: asyncio.Semaphore,
        hand_over: Callable[[list[Outcome] | BaseException | None], None],
    ) -> None:
        under_way: deque[asyncio.Task[Outcome]] = deque()
        chunk: list[Outcome] = []

        async def next_done() -> None:
            chunk.append(await under_way[0])
            under_way.popleft()
            if len(chunk) == size:
                hand_over(chunk.copy())
                chunk.clear()

        try:
            for movie_id in movie_ids:
                while permits.locked() and under_way:
                    await next_done()
                await permits.acquire()
                movie = int(movie_id)
                under_way.append(asyncio.create_task(details(self._client, movie, etag(movie), as_of)))
                # Where they are done already, they are handed over at once.
                while under_way and under_way[0].done():
                    await next_done()
            while under_way:
                await next_done()
            if chunk:
                hand_over(chunk)
            hand_over(None)
        except Exception as error:  # noqa: BLE001 - it is raised again where the chunks are read
            hand_over(error)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


def _release(permits: asyncio.Semaphore, count: int) -> None:
    for _ in range(count):
        permits.release()


async def _end_tasks() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextlib.contextmanager
def open_session(url: str, token: str, pace: Tmdb, max_body_bytes: int, tally: Tally) -> Iterator[Session]:
    """Open a session; see `ingestion.tmdb.client.connect` for the arguments."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tmdb", daemon=True)
    thread.start()
    connection = connect(url, token, pace, max_body_bytes, tally)
    try:
        client = asyncio.run_coroutine_threadsafe(connection.__aenter__(), loop).result()
        try:
            yield Session(loop, client)
        finally:
            asyncio.run_coroutine_threadsafe(connection.__aexit__(None, None, None), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
