"""Airflow's API, asked: what is asked again after a failure, and what is not."""

from collections.abc import Callable

import httpx
import pytest

from lakehouse.errors import ServiceError
from orchestration.airflow.client import Client


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(answer)), backoff_seconds=0)


class Airflow:
    """Fails in the given ways, one after the other, then answers."""

    def __init__(self, *failures: int | Exception) -> None:
        self.failures = list(failures)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.failures:
            return httpx.Response(200, json={"path": request.url.path})
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, json={"detail": "no"})


def test_what_only_asks_is_asked_again() -> None:
    airflow = Airflow(500, httpx.ReadTimeout("late"), 502)
    assert client(airflow).ask("GET", "dags") == {"path": "/api/v2/dags"}
    assert airflow.asked == 4


def test_there_is_an_end_of_asking() -> None:
    airflow = Airflow(*[httpx.ConnectError("refused")] * 9)
    with pytest.raises(ServiceError, match=r"does not answer \(ConnectError\)"):
        client(airflow).ask("GET", "dags")
    assert airflow.asked == 5


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("GET", 403), ("POST", 500), ("PATCH", 502)])
def test_what_another_attempt_would_not_mend_or_might_do_twice_is_asked_once(method: str, status: int) -> None:
    airflow = Airflow(status)
    with pytest.raises(ServiceError, match=f"refuses {method} dags .HTTP {status}.: no"):
        client(airflow).ask(method, "dags")
    assert airflow.asked == 1
