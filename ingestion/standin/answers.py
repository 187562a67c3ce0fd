"""An answer before it goes down the wire, and TMDB's errors with their documented status and message."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

JSON_TYPE = "application/json;charset=utf-8"

_ERRORS = {
    7: (401, "Invalid API key: You must be granted a valid key."),
    9: (503, "Service offline: This service is temporarily offline, try again later."),
    11: (500, "Internal error: Something went wrong, contact TMDB."),
    20: (422, "Invalid date range: Should be a range no longer than 14 days."),
    21: (200, "Entry not found: The item you are trying to edit cannot be found."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    23: (400, "Invalid date: Format needs to be YYYY-MM-DD."),
    24: (504, "Your request to the backend server timed out. Try again."),
    25: (429, "Your request count (#) is over the allowed limit of (40)."),
    27: (400, "Too many append to response objects: The maximum number of remote calls is 20."),
    33: (401, "Invalid request token: The request token is either expired or invalid."),
    34: (404, "The resource you requested could not be found."),
    42: (405, "This request method is not supported for this resource."),
    43: (502, "Couldn't connect to the backend server."),
    45: (403, "This user has been suspended."),
    46: (503, "The API is undergoing maintenance. Try again later."),
}

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with.

    Args:
        status: the HTTP status.
        body: the whole body; empty where `chunks` gives it.
        content_type: of the body.
        chunks: gives the body piece by piece where it is too large to hold.
    """

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    chunks: Callable[[], Iterator[bytes]] | None = None


def found(value: Any) -> Answer:
    """Answer 200 with `value` as JSON."""
    return Answer(200, encode(value))


def failure(code: int) -> Answer:
    """Answer as TMDB documents for its status code `code`, e.g. 34 for what is not there."""
    status, message = _ERRORS[code]
    return Answer(status, encode({"success": False, "status_code": code, "status_message": message}))


class Refused(Exception):
    """A request that TMDB would refuse; `code` is TMDB's status code. It never leaves this package."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code
