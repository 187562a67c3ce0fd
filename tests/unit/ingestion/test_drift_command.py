"""What `lakehouse drift` prints."""

from ingestion.drift import Drift
from ingestion.drift_command import show
from lakehouse.terminal import console


def said(*findings: Drift) -> str:
    with console.capture() as capture:
        show("mine", list(findings))
    return capture.get()


NEW = Drift("genres[].odd", "new", "absent", "text in 3 of 3", is_needed=False, endpoint="[red]list")
GONE = Drift("title", "gone", "text in 60 of 60", "absent in 60", is_needed=True, is_blocking=True)


def test_nothing_new_is_said_in_a_line() -> None:
    assert said() == "mine: the fields are as before.\n"


def test_names_from_payloads_are_printed_as_they_are() -> None:
    printed = said(NEW)
    assert "genres[].odd" in printed
    assert "[red]list" in printed
    assert "--accept" not in printed


def test_what_blocks_comes_with_what_to_do() -> None:
    printed = said(GONE, NEW)
    assert "1 of these would reach Silver as NULL" in printed
    assert "`lakehouse drift mine --accept`" in printed
