"""One request: what is repeated, what is not, how fast, and what a failure says."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from ingestion.tmdb.client import Answer, Broken, Client, GivenUp, TooLarge
from ingestion.tmdb.failures import AccessRefused, RequestRefused, RetriesSpent, Unreachable
from tests.unit.ingestion.tmdb.conftest import TOKEN, Server, TestConnection


def error(status: int, code: int, message: str, **headers: str) -> Response:
    body = {"success": False, "status_code": code, "status_message": message}
    return JSONResponse(body, status, headers={name.replace("_", "-"): value for name, value in headers.items()})


GOOD = Response('{"id": 11}', headers={"ETag": 'W/"v1"'})


def test_an_answer_has_the_body_as_sent_and_its_etag(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/11", Response('{ "id":11 }', headers={"ETag": 'W/"v1"'}))
    assert tmdb.ask(lambda client: client.get("/movie/11")) == Answer(200, b'{ "id":11 }', 'W/"v1"')
    assert tmdb.tally.sent == 1
    assert tmdb.tally.answers == {200: 1}


def test_the_token_is_in_the_header_and_nowhere_else(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/11", GOOD)
    tmdb.ask(lambda client: client.get("/movie/11", {"append_to_response": "credits"}))
    _, path, query, headers = server.asked[0]
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in path + query


def test_a_known_version_is_not_sent_again(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/11", Response(status_code=304, headers={"ETag": 'W/"v1"'}))
    assert tmdb.ask(lambda client: client.get("/movie/11", etag='W/"v1"')).status == 304
    assert server.asked[0][3]["if-none-match"] == 'W/"v1"'


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(server: Server, tmdb: TestConnection, status: int) -> None:
    server.answer("/movie/11", error(status, 24, "later"), error(status, 24, "later"), GOOD)
    assert tmdb.ask(lambda client: client.get("/movie/11")).status == 200
    assert tmdb.tally.repeats == {str(status): 2}
    assert tmdb.tally.sent == 3


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_request_is_asked_once_and_says_why(server: Server, tmdb: TestConnection, status: int) -> None:
    server.answer("/movie/changes", error(status, 20, "Invalid date range."))
    with pytest.raises(RequestRefused, match=r"TMDB's error 20 .*Invalid date range"):
        tmdb.ask(lambda client: client.get("/movie/changes"))
    assert tmdb.tally.sent == 1


def test_what_is_not_there_is_asked_once(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/1", error(404, 34, "The resource you requested could not be found."))
    server.answer("/movie/2", error(200, 21, "Entry not found."))
    assert tmdb.ask(lambda client: client.get("/movie/1")).status == 404
    assert tmdb.ask(lambda client: client.get("/movie/2")).status == 404
    assert tmdb.tally.sent == 2


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, 7, "access token from your TMDB account"),
        (401, 3, "may read movies"),
        (401, 33, "has expired"),
        (401, 17, "was denied"),
        (403, 45, "suspended"),
        (403, 10, "suspended"),
    ],
)
def test_a_refused_token_is_never_tried_again(
    server: Server, tmdb: TestConnection, status: int, code: int, said: str
) -> None:
    server.answer("/movie/11", error(status, code, "No."))
    with pytest.raises(AccessRefused, match=said) as refused:
        tmdb.ask(lambda client: client.get("/movie/11"))
    assert tmdb.tally.sent == 1
    assert TOKEN not in str(refused.value) + repr(refused.value.__dict__)


def test_a_forbidding_proxy_is_told_from_tmdb(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/11", Response("<html>blocked</html>", 403))
    with pytest.raises(AccessRefused, match="proxy or firewall"):
        tmdb.ask(lambda client: client.get("/movie/11"))


def test_retry_after_makes_every_request_wait(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/1", error(429, 25, "Over the limit.", Retry_After="1"), GOOD)
    server.answer("/movie/2", GOOD)

    async def both(client: Client) -> None:
        first = asyncio.create_task(client.get("/movie/1"))
        await asyncio.sleep(0.3)
        await asyncio.gather(first, client.get("/movie/2"))

    tmdb.ask(both)
    refused, *later = [at for at, *_ in server.asked]
    assert min(later) - refused >= 0.95


def test_retry_after_as_a_date_is_read(server: Server, tmdb: TestConnection) -> None:
    date = {"Date": "Thu, 29 Jan 2026 06:00:00 GMT", "Retry_After": "Thu, 29 Jan 2026 06:00:01 GMT"}
    server.answer("/movie/1", error(503, 46, "Maintenance.", **date), GOOD)
    tmdb.ask(lambda client: client.get("/movie/1"))
    assert tmdb.tally.waited_seconds >= 0.9


def test_no_wait_is_longer_than_the_longest(server: Server, tmdb: TestConnection) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={"longest_wait_seconds": 0.1})
    server.answer("/movie/1", error(429, 25, "Over the limit.", Retry_After="86400"), GOOD)
    began = time.monotonic()
    tmdb.ask(lambda client: client.get("/movie/1"))
    assert time.monotonic() - began < 5


async def _stall() -> AsyncIterator[bytes]:
    yield b'{"id"'
    await asyncio.sleep(30)


async def _dribble() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b" "
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("body", "patience", "reason"),
    [(_stall, "timeout_seconds", "a timeout"), (_dribble, "answer_seconds", "an answer that took too long")],
)
def test_an_answer_that_does_not_end_is_given_up_and_asked_again(
    server: Server, tmdb: TestConnection, body: object, patience: str, reason: str
) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={patience: 2.0})
    server.answer("/movie/1", StreamingResponse(body()), GOOD)  # type: ignore[operator]
    assert tmdb.ask(lambda client: client.get("/movie/1")).body == GOOD.body
    assert tmdb.tally.repeats == {reason: 1}


def test_a_body_that_ends_early_is_asked_again(server: Server, tmdb: TestConnection) -> None:
    gone = Response(gzip.compress(b'{"id": 11}' * 1000)[:40], headers={"Content-Encoding": "gzip"})
    damaged = Response(b"\x1f\x8bnot gzip", headers={"Content-Encoding": "gzip"})

    def read(answer: Answer) -> bytes:
        if answer.body != GOOD.body:
            raise Broken("a broken body")
        return answer.body

    server.answer("/movie/1", gone, damaged, GOOD)
    assert tmdb.ask(lambda client: client.get("/movie/1", read=read)) == GOOD.body
    assert tmdb.tally.repeats == {"a broken body": 2}


def test_a_body_that_stays_broken_gives_what_its_reader_made_of_it(server: Server, tmdb: TestConnection) -> None:
    def read(_: Answer) -> str:
        raise Broken("a broken body", "what came of it")

    server.answer("/movie/1", GOOD)
    assert tmdb.ask(lambda client: client.get("/movie/1", read=read)) == "what came of it"
    assert tmdb.tally.given_up == 1
    assert tmdb.tally.sent == tmdb.pace.attempts


def test_a_request_that_never_succeeds_is_given_up(server: Server, tmdb: TestConnection) -> None:
    server.answer("/movie/1", error(500, 11, "Internal error."))
    with pytest.raises(GivenUp, match="500") as given_up:
        tmdb.ask(lambda client: client.get("/movie/1"))
    assert b"Internal error." in given_up.value.body
    assert tmdb.tally.sent == tmdb.pace.attempts


def test_the_budget_of_repeats_ends_the_batch(server: Server, tmdb: TestConnection) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={"free_retries": 2, "retries_per_answer": 0})
    server.answer("/movie/1", error(503, 9, "Offline."))
    with pytest.raises(RetriesSpent, match="2 requests were repeated for 0 answers"):
        tmdb.ask(lambda client: client.get("/movie/1"))
    assert tmdb.tally.sent == 3


def test_answers_earn_repeats(server: Server, tmdb: TestConnection) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={"free_retries": 0, "retries_per_answer": 0.5})
    server.answer("/good", GOOD)
    server.answer("/movie/1", error(503, 9, "Offline."), error(503, 9, "Offline."), GOOD)

    async def questions(client: Client) -> None:
        for _ in range(4):
            await client.get("/good")
        await client.get("/movie/1")

    tmdb.ask(questions)
    assert tmdb.tally.repeats == {"503": 2}


def test_a_body_that_is_too_large_is_not_read_to_its_end(server: Server, tmdb: TestConnection) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 5_000:
            sent += 1
            yield b"x" * 10_000
            # Let the server see that nobody reads any more.
            await asyncio.sleep(0)

    server.answer("/movie/1", StreamingResponse(endless()))
    with pytest.raises(TooLarge) as too_large:
        tmdb.ask(lambda client: client.get("/movie/1"))
    assert len(too_large.value.beginning) == tmdb.max_body_bytes
    assert sent < 5_000
    assert tmdb.tally.sent == 1


def test_a_small_body_that_unpacks_to_a_large_one_is_too_large(server: Server, tmdb: TestConnection) -> None:
    packed = gzip.compress(b"0" * 50_000_000)
    server.answer("/movie/1", Response(packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TooLarge):
        tmdb.ask(lambda client: client.get("/movie/1"))


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    tmdb = TestConnection(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=f"Nobody listens at 127.0.0.1:{port}"):
        tmdb.ask(lambda client: client.get("/movie/1"))


def test_a_name_that_does_not_resolve() -> None:
    tmdb = TestConnection("http://tmdb.invalid/3")
    with pytest.raises(Unreachable, match=r"The name tmdb\.invalid cannot be resolved"):
        tmdb.ask(lambda client: client.get("/movie/1"))


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key, certificate = _self_signed(tmp_path)

    async def ask() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
        async with server:
            tmdb = TestConnection(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with tmdb.client() as client:
                await client.get("/movie/1")

    with pytest.raises(Unreachable, match=r"The secure connection to 127\.0\.0\.1 failed: self-signed certificate"):
        asyncio.run(ask())


def _self_signed(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "key.pem", folder / "certificate.pem"
    unprotected = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unprotected))
    paths[1].write_bytes(certificate.public_bytes(pem))
    return paths


def test_the_rate_is_kept_over_whole_windows(server: Server, tmdb: TestConnection) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={"rate_per_second": 40})
    server.answer("/movie/1", GOOD)

    async def many(client: Client) -> None:
        await asyncio.gather(*(client.get("/movie/1") for _ in range(121)))

    began = time.monotonic()
    tmdb.ask(many)
    # The 121st request is the first of the fourth window. When each arrived, benchmarks/api.py looks at.
    assert time.monotonic() - began >= 3.0
    assert len(server.asked) == 121


@pytest.mark.parametrize("rate", [1, 3, 19, 20, 25, 39, 40, 1000])
def test_every_rate_lets_requests_through(server: Server, tmdb: TestConnection, rate: int) -> None:
    tmdb.pace = tmdb.pace.model_copy(update={"rate_per_second": rate})
    server.answer("/movie/1", GOOD)
    assert tmdb.ask(lambda client: client.get("/movie/1")).status == 200
