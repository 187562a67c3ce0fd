import re
from collections.abc import Iterator

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout, OperationFailure, ServerSelectionTimeoutError

from serving import mongo
from serving.errors import ExportError
from serving.mongo import connect, is_transient, reason, retried

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mongo, "FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(mongo, "LONGEST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(mongo, "SELECTION_TIMEOUT_MS", 200)
    mongo._client.cache_clear()
    yield
    mongo._client.cache_clear()


def test_what_is_transient() -> None:
    assert is_transient(AutoReconnect("connection reset"))
    assert is_transient(NetworkTimeout("timed out"))
    assert is_transient(OperationFailure("stepped down", 11602, {"errorLabels": ["RetryableWriteError"]}))
    assert not is_transient(OperationFailure("not authorized", 13))
    assert not is_transient(ValueError("no"))


def test_a_transient_error_is_tried_again_until_it_passes() -> None:
    answers = [AutoReconnect("1"), AutoReconnect("2")]

    def call() -> str:
        if answers:
            raise answers.pop()
        return "done"

    assert retried(call) == "done"
    assert not answers


def test_it_gives_up_after_the_stated_attempts_with_the_last_error() -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise AutoReconnect(f"attempt {len(calls)}")

    with pytest.raises(AutoReconnect, match=f"attempt {mongo.ATTEMPTS}"):
        retried(call)


def test_a_lasting_error_is_not_tried_again() -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise OperationFailure("not authorized", 13)

    with pytest.raises(OperationFailure):
        retried(call)
    assert len(calls) == 1


def test_no_server_is_one_sentence_without_the_password() -> None:
    with pytest.raises(ExportError) as caught:
        connect(f"mongodb://writer:{SECRET}@127.0.0.1:1/", "tmdb")
    # The number of the error differs between systems.
    assert re.sub(r"\[Errno \d+\]", "[Errno N]", caught.value.message) == (
        "MongoDB at mongodb://***@127.0.0.1:1/ does not answer: 127.0.0.1:1: [Errno N] Connection refused."
    )
    assert "lakehouse up" in caught.value.next_step


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://writer:{SECRET}/@127.0.0.1:27017/",
        f"mongodb://writer:{SECRET}:x@127.0.0.1:27017/",
        f"mongodb://writer:{SECRET}@127.0.0.1:notaport/",
        f"http://writer:{SECRET}@127.0.0.1/",
    ],
)
def test_an_unusable_uri_is_named_without_the_password(uri: str) -> None:
    with pytest.raises(ExportError) as caught:
        connect(uri, "tmdb")
    assert SECRET not in str(caught.value)
    assert SECRET not in str(caught.value.__cause__)
    assert "mongo.uri" in caught.value.next_step


def test_reason_is_the_first_clause_and_masks_the_uri() -> None:
    uri = f"mongodb://writer:{SECRET}@db/"
    error = ServerSelectionTimeoutError(f"{uri}: refused (configured timeouts: x), Timeout: 5s, Topology ...")
    assert reason(error, uri) == "mongodb://***@db/: refused"
