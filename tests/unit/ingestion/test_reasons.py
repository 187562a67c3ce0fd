"""Every reason says what it means."""

from ingestion.reasons import Reason, meanings


def test_every_reason_has_its_own_meaning() -> None:
    assert set(meanings()) == set(Reason)
    assert len(set(meanings().values())) == len(Reason)
    assert meanings()["id_missing"] == "The object has no `id`, or a null one."
    assert "\n" not in "".join(meanings().values())
