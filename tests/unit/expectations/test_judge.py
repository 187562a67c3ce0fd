import json
import socket
from typing import Any

import pytest

from expectations.judge import Judge
from expectations.suites import Suite
from expectations.verdict import Bound, Measured

SUITE = Suite.model_validate(
    {
        "table": "silver.movies",
        "key": ["movie_id"],
        "description": "Movies.",
        "rules": [{"name": "volume_is_usual", "dimension": "volume"}],
    }
)


def rule(name: str, measure: float, *bounds: Bound) -> Measured:
    return Measured(name, "accuracy", "critical", measure, bounds, 9, 10, says="1 of 10: odd")


@pytest.fixture(scope="module")
def reached() -> list[Any]:
    return []


@pytest.fixture(scope="module")
def judge(reached: list[Any]) -> Judge:
    """Made, and used, while every connection that leaves the machine is noted and refused."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            reached.append(address)
            raise OSError("no network in this test")
        connect(self, address)

    patch.setattr(socket.socket, "connect", guarded)
    return Judge()


def test_each_bound_is_judged_and_nothing_is_sent(judge: Judge, reached: list[Any]) -> None:
    at_least, at_most = Bound(0.95, "critical"), Bound(2, "critical", is_least=False)
    soon = Bound(1, "warning", is_least=False)
    verdict = judge.judge(
        SUITE,
        [
            rule("met_exactly", 0.95, at_least),
            rule("low", 0.9499, at_least),
            rule("soon", 1.5, soon, at_most),
            rule("late", 2.5, soon, at_most),
            rule("in_time", 1.0, soon, at_most),
        ],
    )
    assert verdict.broken == {"low": (at_least,), "soon": (soon,), "late": (soon, at_most)}
    assert reached == []


def test_the_result_is_great_expectations_own_json(judge: Judge) -> None:
    verdict = judge.judge(SUITE, [rule("low", 0.9, Bound(0.95, "critical"))])
    result = json.loads(json.dumps(verdict.result))
    assert result["success"] is False
    (found,) = result["results"]
    assert found["expectation_config"]["description"] == "low: at least 0.95"
    assert found["expectation_config"]["severity"] == "critical"
    assert found["expectation_config"]["meta"]["numerator"] == 9
    assert found["result"]["observed_value"] == 0.9
    assert json.loads(json.dumps(verdict.suite))["name"] == "silver.movies"


def test_what_cannot_be_judged_is_an_error(judge: Judge) -> None:
    with pytest.raises(RuntimeError, match="could not judge"):
        judge.judge(SUITE, [rule("nothing", float("nan"), Bound(0.95, "critical"))])
