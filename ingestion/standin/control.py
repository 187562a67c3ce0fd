"""Steering a running stand-in from outside."""

import json
import urllib.error
import urllib.request
from datetime import datetime

from lakehouse.clock import instant_text
from lakehouse.errors import ServiceError

_TIMEOUT_SECONDS = 10


def show_day(url: str, today: datetime) -> None:
    """Let the stand-in take `today` for the present.

    Args:
        url: of its API, `http://127.0.0.1:8590/3`.
        today: UTC.

    Raises:
        ServiceError: what listens there is no stand-in, or does not answer.
    """
    request = urllib.request.Request(
        f"{url.removesuffix('/3')}/standin/today",
        data=json.dumps({"today": instant_text(today)}).encode(),
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise ServiceError(
            f"The stand-in for TMDB cannot be told the day at {url}: {error}.", "Look at `lakehouse status`."
        ) from error
