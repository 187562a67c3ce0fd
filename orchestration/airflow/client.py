"""Airflow asked through its API, as its user."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from lakehouse.errors import ServiceError
from lakehouse.settings import Settings
from orchestration.airflow.instance import secrets_of
from orchestration.airflow.server import address

DAGS = ("tmdb_ingest", "tmdb_transform", "tmdb_aggregate")
"""In the order in which they follow each other."""

ENDED = ("success", "failed")

_PAGE = 100  # more is not given at a time
_ATTEMPTS = 5


class _Passing(ServiceError):
    """What another attempt may mend."""


class Client:
    """One login. Make it with `client`.

    Args:
        http: which sends the login with each request.
        backoff_seconds: before what only asks is asked again, after a failure; doubled each time.
    """

    def __init__(self, http: httpx.Client, backoff_seconds: float = 0.5) -> None:
        self._http = http
        self._backoff = backoff_seconds

    def ask(self, method: str, path: str, **arguments: Any) -> Any:
        """Ask for a path below `/api/v2`; give the answer's JSON.

        Airflow answers 500 where it is asked for a run that it is just making: what only asks is asked again.

        Raises:
            ServiceError: Airflow does not answer, or refuses.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(_ATTEMPTS if method == "GET" else 1),
            wait=wait_exponential(self._backoff, max=10),
            reraise=True,
        )
        return retrying(self._ask, method, path, **arguments)

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._http.request(method, f"/api/v2/{path}", **arguments)
        except httpx.HTTPError as error:
            raise _Passing(
                f"Airflow does not answer ({type(error).__name__}).", "Start it with `lakehouse airflow up`."
            ) from error
        if answer.is_error:
            kind = _Passing if answer.is_server_error else ServiceError
            raise kind(f"Airflow refuses {method} {path} (HTTP {answer.status_code}): {_detail(answer)}.")
        return answer.json() if answer.content else None

    def runs(self, dag: str, most: int = 5) -> list[dict[str, Any]]:
        """The last runs of a DAG, the newest first."""
        found = self.ask("GET", f"dags/{dag}/dagRuns", params={"limit": most, "order_by": "-run_after"})
        return list(found["dag_runs"])

    def tasks(self, dag: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        found: list[dict[str, Any]] = []
        while True:
            page = {"limit": _PAGE, "offset": len(found), "order_by": "id"}
            answer = self.ask("GET", f"dags/{dag}/dagRuns/{run_id}/taskInstances", params=page)
            found += answer["task_instances"]
            if len(found) >= answer["total_entries"] or not answer["task_instances"]:
                return found

    def unpause(self, dag: str, is_paused: bool = False) -> None:
        """Let a DAG run by its schedule, or not."""
        self.ask("PATCH", f"dags/{dag}", json={"is_paused": is_paused})

    def trigger(self, dag: str, conf: Mapping[str, Any], as_of: datetime | None = None) -> str:
        """Start a run, which takes `as_of` for now; give its id."""
        asked: dict[str, Any] = {"logical_date": None, "conf": dict(conf)}
        if as_of:
            asked["run_after"] = as_of.isoformat()
        return str(self.ask("POST", f"dags/{dag}/dagRuns", json=asked)["dag_run_id"])

    def wait(self, dag: str, run_id: str, seconds: float, poll_seconds: float = 2.0) -> str:
        """Wait until a run has ended; give its state, or the one that it has when the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            state = str(self.ask("GET", f"dags/{dag}/dagRuns/{run_id}")["state"])
            if state in ENDED or time.monotonic() > deadline:
                return state
            time.sleep(poll_seconds)


@contextmanager
def client(settings: Settings) -> Iterator[Client]:
    """Log in.

    Raises:
        ServiceError: Airflow does not answer, or does not know the password.
    """
    with httpx.Client(base_url=address(settings), timeout=30) as http:
        login = {"username": settings.airflow.user, "password": secrets_of(settings).password}
        try:
            answer = http.post("/auth/token", json=login)
        except httpx.HTTPError as error:
            raise ServiceError(
                f"Airflow at {address(settings)} does not answer ({type(error).__name__}).",
                "Start it with `lakehouse airflow up`.",
            ) from error
        if answer.is_error:
            raise ServiceError(
                f"Airflow at {address(settings)} refuses the password (HTTP {answer.status_code}).",
                "Another instance's Airflow may listen there: set airflow.port.",
            )
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield Client(http)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))[:300]
    except (ValueError, AttributeError):
        return answer.text[:300]
