"""The errors that a person is meant to read."""


class LakehouseError(Exception):
    """Something went wrong that a sentence explains.

    The CLI prints `message` and `next_step`, and exits with code 1. A stack trace is shown only with
    `LAKEHOUSE_TRACEBACK=1`.

    Args:
        message: what failed, and where (table, batch, file and line, service, setting).
        next_step: what the reader can do about it; may be empty.
    """

    is_told = False
    """Whether people get an alert that says more of it than that a run failed."""

    is_final = False
    """Whether the same would fail again, until somebody changes something."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        """Give message and next step as one line."""
        return f"{self.message} {self.next_step}".strip()


class ConfigurationError(LakehouseError):
    """A setting is unknown, or has a value that cannot be used."""

    is_final = True


class ServiceError(LakehouseError):
    """A service did not start, died, or does not answer."""


class ArtefactError(LakehouseError):
    """A JVM artefact could not be resolved, or its checksum is not the pinned one."""
