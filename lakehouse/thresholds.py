"""The thresholds, read from the one file that holds them: what the setting `gate.thresholds` names."""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import ConfigurationError

Share = Annotated[float, Field(ge=0, le=1)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scores(_Declared):
    """The least score of a table in each dimension, from 0 to 1."""

    completeness: Share
    consistency: Share
    accuracy: Share
    uniqueness: Share
    references: Share


class Timeliness(_Declared):
    """Hours from the arrival of a batch to the end of its processing."""

    warning_hours: Annotated[float, Field(gt=0)]
    critical_hours: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _in_order(self) -> "Timeliness":
        if self.warning_hours > self.critical_hours:
            raise ValueError("warning_hours is more than critical_hours")
        return self


class _AgainstRuns(_Declared):
    recent_runs: Annotated[int, Field(ge=1)]
    minimum_runs: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.minimum_runs > self.recent_runs:
            raise ValueError("minimum_runs is more than recent_runs: nothing would ever be compared")
        return self


class Volume(_AgainstRuns):
    """How far a table's rows may be from the median of recent runs, in deviations: 1.4826 times the MAD."""

    warning_deviations: Annotated[float, Field(gt=0)]
    least_spread: Share


class Drift(_AgainstRuns):
    """How far a distribution may move: the population stability index against the runs before."""

    minimum_rows: Annotated[int, Field(ge=1)]
    warning_index: Annotated[float, Field(gt=0)]


class LowScore(_Declared):
    """A score below which a person is told."""

    warning: Share
    critical: Share

    @model_validator(mode="after")
    def _in_order(self) -> "LowScore":
        if self.critical > self.warning:
            raise ValueError("critical is above warning: a low score is the worse one")
        return self


class HighUse(_Declared):
    """A share in use above which a person is told."""

    warning: Share
    critical: Share

    @model_validator(mode="after")
    def _in_order(self) -> "HighUse":
        if self.warning > self.critical:
            raise ValueError("warning is above critical")
        return self


class AlertBounds(_Declared):
    """From where on a person is told."""

    score: LowScore
    hdfs_use: HighUse
    disk_use: HighUse
    memory_use: HighUse


class Thresholds(_Declared):
    """Everything that is demanded, as the file says it."""

    scores: Scores
    timeliness: Timeliness
    volume: Volume
    drift: Drift
    alerts: AlertBounds


def read_thresholds(path: Path) -> Thresholds:
    """Read the file.

    Raises:
        ConfigurationError: it is not there, not YAML in UTF-8, or a threshold is missing, unknown or out of its range.
    """
    try:
        return Thresholds.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The thresholds in {path} cannot be read: {error}.", "Correct the file.") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors())
        raise ConfigurationError(
            f"The thresholds in {path} cannot be used: {problems}.", "Correct the file; its comments say what each is."
        ) from error
