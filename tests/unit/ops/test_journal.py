"""Journals: what is told is read again, whatever tore, died or filled up meanwhile."""

import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.ops import journal as journal_module
from lakehouse.ops.journal import BULKY, Journal, RunFacts, folder, new_run_id, read_alerts, read_run, read_runs

AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


def _begun(home: Path, run_id: str, at: datetime = AT) -> Journal:
    journal = Journal(home, run_id)
    journal.write("runs", {"kind": "run", "status": "running", "started_at": at})
    return journal


def test_a_row_is_read_as_it_was_told_and_the_last_word_counts(tmp_path: Path) -> None:
    journal = _begun(tmp_path, "run-1")
    journal.write("runs", {"status": "succeeded", "seconds": 2.5})
    journal.write("steps", {"step_number": 1, "step": "ingest", "findings": ["a\nb", "ü"]})
    journal.write("publications", {"publication_id": "run-1", "marts": {"movies": AT}})
    facts = read_run(journal.path)
    assert facts.run == {"run_id": "run-1", "kind": "run", "status": "succeeded", "started_at": AT, "seconds": 2.5}
    assert facts.rows("steps") == [{"run_id": "run-1", "step_number": 1, "step": "ingest", "findings": ["a\nb", "ü"]}]
    assert facts.rows("publications")[0]["marts"] == {"movies": AT}
    assert facts.rows("alerts") == []


def test_a_torn_last_line_is_passed_over_and_does_not_take_the_next_with_it(tmp_path: Path) -> None:
    journal = _begun(tmp_path, "run-1")
    with journal.path.open("ab") as file:
        file.write(b'{"table": "steps", "row": {"step_number": 1, "st')
    assert read_run(journal.path).rows("steps") == []
    again = Journal(tmp_path, "run-1")
    again.write("steps", {"step_number": 2, "step": "silver"})
    assert [row["step_number"] for row in read_run(journal.path).rows("steps")] == [2]
    assert read_run(journal.path).run["status"] == "running"


@pytest.mark.parametrize("line", ['{"table": "gone", "row": {}}', '{"table": "runs", "row": {"gone": 1}}', "[]", "1"])
def test_a_line_of_another_version_is_passed_over(tmp_path: Path, line: str) -> None:
    journal = _begun(tmp_path, "run-1")
    with journal.path.open("a") as file:
        file.write(line + "\n")
    assert read_run(journal.path).run["kind"] == "run"


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    journal = _begun(tmp_path, "run-1")

    def write(worker: int) -> None:
        for number in range(50):
            journal.write("steps", {"step_number": worker * 50 + number, "step": "x" * 3000})

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_run(journal.path).rows("steps")) == 400


def test_a_run_whose_process_is_gone_was_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from lakehouse.ops.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'run-1')\n"
        "journal.write_process()\n"
        "at = datetime(2026, 2, 1, tzinfo=UTC)\n"
        "journal.write('runs', {'kind': 'run', 'status': 'running', 'started_at': at})\n"
        "journal.write('steps', {'step_number': 1, 'step': 'ingest', 'status': 'succeeded', 'started_at': at})\n"
        "journal.write('steps', {'step_number': 2, 'step': 'silver', 'status': 'running', 'started_at': at})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    path = folder(tmp_path) / "run-1.jsonl"
    wrote = datetime(2026, 2, 1, 0, 1, tzinfo=UTC).timestamp()
    os.utime(path, (wrote, wrote))
    (facts,) = read_runs(tmp_path)
    assert (facts.run["status"], facts.run["seconds"]) == ("killed", 60)
    assert [row["status"] for row in facts.rows("steps")] == ["succeeded", "killed"]


def test_a_run_whose_process_lives_or_is_elsewhere_is_running(tmp_path: Path) -> None:
    _begun(tmp_path, "run-here").write_process()
    journal = _begun(tmp_path, "run-elsewhere")
    journal.write("process", {"pid": 1, "started": 0.0, "host": "another"})
    assert {facts.run["status"] for facts in read_runs(tmp_path)} == {"running"}


def test_runs_come_newest_first_and_journals_of_no_run_are_left_out(tmp_path: Path) -> None:
    for hour in (9, 11, 10):
        _begun(tmp_path, f"run-{hour}", AT.replace(hour=hour))
    Journal(tmp_path, "digest-1").write("alerts", {"alert_id": "a", "status": "sent"})
    assert [facts.run_id for facts in read_runs(tmp_path)] == ["run-11", "run-10", "run-9"]
    assert read_runs(tmp_path / "nowhere") == []


def test_a_run_gets_a_name_that_no_other_has_nor_gets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda _: new_run_id(tmp_path, "demo", AT), range(4)))
    assert sorted(names) == ["demo-20260201T080000Z", *(f"demo-20260201T080000Z-{number}" for number in (2, 3, 4))]
    assert read_runs(tmp_path) == [], "a name by itself is no run"
    assert read_alerts(tmp_path) == []
    _begun(tmp_path, names[0])
    assert [facts.run_id for facts in read_runs(tmp_path)] == [names[0]]


def test_a_run_gets_a_name_where_none_can_be_taken(tmp_path: Path) -> None:
    (tmp_path / "ops").write_text("a file where the folder belongs")
    assert new_run_id(tmp_path, "demo", AT) == "demo-20260201T080000Z"


def test_a_journal_that_goes_meanwhile_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = _begun(tmp_path, "run-1"), _begun(tmp_path, "run-2")
    read = journal_module.read_run

    def deletes_first(path: Path, *rest: Any) -> RunFacts:
        gone.path.unlink(missing_ok=True)
        return read(path, *rest)

    monkeypatch.setattr(journal_module, "read_run", deletes_first)
    assert [facts.run_id for facts in read_runs(tmp_path)] == [kept.run_id]


def test_a_line_that_the_disk_took_a_part_of_is_told_and_does_not_take_the_next_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = _begun(tmp_path, "run-1")
    write = os.write
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:20]))
        journal.write("steps", {"step_number": 1, "step": "ingest"})
    assert "only a part" in caplog.text
    journal.write("steps", {"step_number": 2, "step": "silver"})
    assert [row["step_number"] for row in read_run(journal.path).rows("steps")] == [2]


def test_an_alert_that_was_delivered_does_not_wait_again(tmp_path: Path) -> None:
    alert = {"alert_id": "a", "raised_at": AT}
    digest, run = Journal(tmp_path, "digest-1"), _begun(tmp_path, "run-1")
    run.write("alerts", {**alert, "status": "waiting", "channels": []})
    digest.write("alerts", {**alert, "status": "sent", "channels": ["mail"], "run_id": "run-1"})
    for journal, at in ((digest, 1), (run, 2)):
        os.utime(journal.path, (at, at))
    assert [row["status"] for row in read_alerts(tmp_path)] == ["sent"]


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("nothing", {}, "knows no table 'nothing'"),
        ("steps", {"step_number": 1, "colour": "red"}, "unknown columns"),
        ("steps", {"step": "ingest"}, "step_number"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(tmp_path: Path, table: str, row: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Journal(tmp_path, "run-1").write(table, row)


@pytest.mark.parametrize("run_id", ["../run", "nightly:1", "-x", ""])
def test_a_run_id_that_cannot_name_a_file_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a file") as caught:
        Journal(tmp_path, run_id)
    assert "--run-id" in caught.value.next_step


def test_a_disk_that_takes_nothing_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ops").write_text("a file where the folder belongs")
    with caplog.at_level(logging.WARNING):
        journal = _begun(tmp_path, "run-1")
        journal.write("runs", {"status": "succeeded"})
        journal.sync()
    assert [record.message for record in caplog.records if "cannot be written" in record.message] != []
    assert len(caplog.records) == 1


def test_tables_that_are_not_wanted_are_passed_over(tmp_path: Path) -> None:
    journal = _begun(tmp_path, "run-1")
    journal.write("steps", {"step_number": 1, "step": "ingest"})
    journal.write("stage_metrics", {"application_id": "a", "stage_id": 1, "attempt": 0})
    assert set(read_run(journal.path, BULKY).tables) == {"runs", "steps"}
    assert set(read_run(journal.path).tables) == {"runs", "steps", "stage_metrics"}


def test_each_line_is_json_by_itself(tmp_path: Path) -> None:
    journal = _begun(tmp_path, "run-1")
    (line,) = journal.path.read_text().splitlines()
    assert json.loads(line) == {
        "table": "runs",
        "row": {"kind": "run", "status": "running", "started_at": "2026-02-01T08:00:00+00:00", "run_id": "run-1"},
    }
