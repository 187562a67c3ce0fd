"""Every answer that was recorded from the real API, given to the client by a real server: what becomes of each.

docs/ingestion.md holds the same table.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from ingestion.records import Record
from ingestion.tmdb.client import Client
from ingestion.tmdb.failures import AccessRefused, RequestRefused
from ingestion.tmdb.requests import Window, changed_ids, details, genres, popular_ids
from tests.instance import ROOT
from tests.unit.ingestion.tmdb.conftest import Server, TestConnection

AS_OF = datetime(2026, 1, 23, tzinfo=UTC)
WINDOW = Window(AS_OF.date(), AS_OF.date())

# Errors that are recorded as a body alone came with these.
_STATUS_OF_CODE = {3: 401, 7: 401, 17: 401, 20: 422, 22: 400, 30: 401, 34: 404}


class Recording(NamedTuple):
    name: str
    path: str
    query: dict[str, str]
    status: int
    body: bytes


class _Saved(msgspec.Struct):
    body: msgspec.Raw
    request: dict[str, Any] = {}
    http_status: int = 0
    path: str = ""
    file: str = ""
    method: str = "GET"


def recordings(folder: Path) -> Iterator[Recording]:
    for file in sorted(folder.glob("movie_full/*.json")):
        movie_id = file.name.split("_")[1]
        yield Recording(file.name, f"/movie/{movie_id}", {}, 200, file.read_bytes())
    for file in sorted(folder.glob("endpoints/*.json")):
        saved = msgspec.json.decode(file.read_bytes(), type=_Saved)
        path = str(saved.request["path"]).removeprefix("/3")
        yield Recording(file.name, path, saved.request.get("query", {}), saved.http_status, bytes(saved.body))
    for number, saved in enumerate(
        msgspec.json.decode((folder / "errors/errors.json").read_bytes(), type=list[_Saved])
    ):
        code = json.loads(bytes(saved.body))["status_code"]
        status = saved.http_status or _STATUS_OF_CODE[code]
        path = saved.path.removeprefix("/3") or f"/{saved.file}"
        yield Recording(f"error {number} (code {code})", path, {}, status, bytes(saved.body))


def kind_of(recording: Recording) -> str:
    body = json.loads(recording.body)
    if recording.name.startswith("error"):
        return f"error, HTTP {recording.status}"
    if re.fullmatch(r"/movie/(\d+|tt\d+|latest)", recording.path):
        return "details of a movie"
    if recording.path == "/movie/changes":
        return "page of the changes feed"
    if recording.path == "/movie/popular":
        return "page of popular movies"
    if recording.path == "/genre/movie/list":
        return "list of genres"
    return "page of another list" if "results" in body and "page" in body else "another thing of TMDB"


async def _outcome(client: Client, recording: Recording, kind: str) -> str:
    if kind == "details of a movie":
        movie_id = int(json.loads(recording.body)["id"])
        record = await details(client, movie_id, None, AS_OF)
        assert isinstance(record, Record), record
        assert record.payload.encode() == recording.body.strip()
        return "lands as received"
    if kind == "page of the changes feed":
        return "ids read" if await changed_ids(client, WINDOW) else "no id"
    if kind == "page of popular movies":
        return "ids read" if len(await popular_ids(client, 20)) == 20 else "ids missing"
    if kind == "list of genres":
        return "genres read" if len(await genres(client)) == 19 else "genres missing"
    try:
        answer = await client.get(recording.path)
    except AccessRefused:
        return "ends the batch: the token is refused"
    except RequestRefused:
        return "ends the batch: the request is refused"
    if answer.status == 404:
        return "counted as missing"
    return "answered; the ingestion does not ask for it"


def test_every_recorded_answer_has_its_outcome(server: Server, tmdb: TestConnection, tmdb_data: Path) -> None:
    tmdb.max_body_bytes = 16 * 1024 * 1024
    found: Counter[tuple[str, str]] = Counter()
    for recording in recordings(tmdb_data / "api_samples"):
        kind = kind_of(recording)
        server.script.clear()
        path = f"/movie/{json.loads(recording.body)['id']}" if kind == "details of a movie" else recording.path
        server.answer(path, Response(recording.body, recording.status, media_type="application/json"))
        outcome = tmdb.ask(lambda client, recording=recording, kind=kind: _outcome(client, recording, kind))  # type: ignore[misc]
        print(f"{recording.name}: {kind}: {outcome}")
        found[kind, outcome] += 1
    assert not tmdb.tally.repeats
    table = [f"| {kind} | {count} | {outcome} |" for (kind, outcome), count in sorted(found.items())]
    text = (ROOT / "docs" / "ingestion.md").read_text()
    assert [line for line in table if line not in text] == []
    assert sum(found.values()) == len(list(recordings(tmdb_data / "api_samples")))
