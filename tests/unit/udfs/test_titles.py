import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.functions.titles import clean_title


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("The Host", "The Host"),
        ("  The   Host ", "The Host"),
        ("The\u00a0Host", "The Host"),
        ("The\tHost\r\nReturns", "The Host Returns"),
        ("\ufeffThe\u200b Ho\u00adst\u200e", "The Host"),
        ("The Host\x00", "The Host"),
        ("The \u200b Host", "The Host"),
        ("Ame\u0301lie", "Amélie"),
        ("e\u200b\u0301", "é"),
        ("WALL·E: it's *great*!", "WALL·E: it's *great*!"),
        ("괴물", "괴물"),
        ("", None),
        (" \u200b\u00a0\x00", None),
        (None, None),
    ],
)
def test_titles_are_cleaned_of_what_cannot_be_seen(title: str | None, cleaned: str | None) -> None:
    assert clean_title(title) == cleaned


@given(st.text())
def test_a_clean_title_is_visible_composed_and_stays_as_it_is(title: str) -> None:
    cleaned = clean_title(title)
    if cleaned is None:
        return
    assert cleaned
    assert cleaned == " ".join(cleaned.split())
    assert cleaned == unicodedata.normalize("NFC", cleaned)
    assert not {unicodedata.category(letter) for letter in cleaned} & {"Cc", "Cf", "Cs"}
    assert clean_title(cleaned) == cleaned


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_visible_ascii_without_spaces_is_left_alone(title: str) -> None:
    assert clean_title(title) == title
