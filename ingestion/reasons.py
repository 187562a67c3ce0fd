"""Why a record could not be landed: the one list of reason codes of `bronze.quarantine`."""

import ast
import inspect
from enum import StrEnum
from functools import cache


class Reason(StrEnum):
    """A reason code. The value is what the table holds; it is never renamed, since people filter by it."""

    INVALID_JSON = "invalid_json"
    """Not one JSON value: cut off, not JSON at all, or not strict JSON (NaN, control characters)."""

    INVALID_UTF8 = "invalid_utf8"
    """The bytes are not UTF-8. The raw text shows the odd bytes as `\\xNN`."""

    TOO_DEEP = "too_deep"
    """Nested more deeply than a JSON parser follows."""

    NOT_AN_OBJECT = "not_an_object"
    """JSON, but a list, a string, a number or null where a movie is an object."""

    ID_MISSING = "id_missing"
    """The object has no `id`, or a null one."""

    ID_NOT_INTEGER = "id_not_integer"
    """`id` is text, a boolean, a number with a fraction, a list or an object."""

    ID_OUT_OF_RANGE = "id_out_of_range"
    """`id` is zero, negative, or larger than a 64-bit integer."""

    OBSERVED_AT_INVALID = "observed_at_invalid"
    """A dated observation whose `observed_by` is no month, date or instant."""

    TMDB_ERROR_BODY = "tmdb_error_body"
    """TMDB's own error answer, saved as if it were a movie."""

    RECORD_TOO_LARGE = "record_too_large"
    """Longer than `ingest.max_record_bytes`. Only the beginning is kept."""

    TRUNCATED_GZIP = "truncated_gzip"
    """The compressed file ends early. What came before the cut has landed."""

    CORRUPT_GZIP = "corrupt_gzip"
    """The compressed file is damaged. What came before the damage has landed."""

    FETCH_FAILED = "fetch_failed"
    """TMDB failed to answer for this movie at every attempt. A replay asks again."""

    OTHER_MOVIE = "other_movie"
    """TMDB answered with another movie than the one that was asked for."""


@cache
def meanings() -> dict[str, str]:
    """What each reason means: code -> the text that stands beside it above, on one line."""
    (declared,) = ast.parse(inspect.getsource(Reason)).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for name, text in zip(declared.body, declared.body[1:], strict=False):
        match name, text:
            case ast.Assign(value=ast.Constant(str(code))), ast.Expr(value=ast.Constant(str(meaning))):
                found[code] = " ".join(meaning.split())
    return found
