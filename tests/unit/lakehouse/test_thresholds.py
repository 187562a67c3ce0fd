from pathlib import Path

import pytest

from lakehouse.errors import ConfigurationError
from lakehouse.thresholds import read_thresholds
from tests.instance import ROOT

TEXT = (ROOT / "expectations" / "thresholds.yaml").read_text(encoding="utf-8")


def changed(folder: Path, was: str, becomes: str) -> Path:
    assert TEXT.count(was) == 1
    file = folder / "thresholds.yaml"
    file.write_text(TEXT.replace(was, becomes), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("minimum_runs: 5", "minimum_runs: 29", r"volume: .*minimum_runs is more than recent_runs"),
        ("minimum_runs: 3", "minimum_runs: 11", r"drift: .*minimum_runs is more than recent_runs"),
        ("warning_hours: 1", "warning_hours: 3", "timeliness: .*warning_hours is more than critical_hours"),
        ("completeness: 0.95", "completeness: 95", r"scores\.completeness: input should be less than or equal to 1"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_thresholds(changed(tmp_path, was, becomes))


def test_as_many_runs_as_are_looked_at_may_be_demanded(tmp_path: Path) -> None:
    assert read_thresholds(changed(tmp_path, "minimum_runs: 5", "minimum_runs: 28")).volume.minimum_runs == 28


def test_a_file_that_is_not_there_no_yaml_or_not_in_utf_8_is_named(tmp_path: Path) -> None:
    broken, foreign = tmp_path / "broken.yaml", tmp_path / "foreign.yaml"
    broken.write_text("scores: [")
    foreign.write_bytes("# für alle\n".encode("latin-1"))
    for file in (tmp_path / "none.yaml", broken, foreign):
        with pytest.raises(ConfigurationError, match=f"{file.name} cannot be read"):
            read_thresholds(file)
