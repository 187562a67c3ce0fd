import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from tests.unit.udfs.overviews import real_overviews
from udfs.functions.sentiment import vader_category, vader_compound
from udfs.vader import MAX_SCORED_CHARS, LinearTimeAnalyzer

ORIGINAL = SentimentIntensityAnalyzer()
OURS = LinearTimeAnalyzer()

# Words that VADER's rules look for, so that random sentences run into them.
LOADED_TEXT = """
    good bad GREAT great war love no not never without doubt so this very kinda kind of sort least at but BUT
    BUT, isn't wouldn't nor or hardly the shit bad ass yeah right to die for kiss death beating heart :) :( 😂 💘 ☠️
    movie ! !!!! ? ??? a \u200bgood uber FRIGGIN SUX only just enough bus stop
"""
LOADED = LOADED_TEXT.split()


def test_every_real_overview_scores_as_the_original_to_the_last_bit(tmdb_data: Path) -> None:
    overviews = real_overviews(tmdb_data)
    assert len(overviews) > 3000
    scores = {overview: vader_compound(overview) for overview in overviews}
    different = [text[:40] for text in overviews if scores[text] != ORIGINAL.polarity_scores(text)["compound"]]
    assert different == []


@given(st.lists(st.sampled_from(LOADED), min_size=1, max_size=40).map(" ".join))
@settings(max_examples=600, deadline=None)
def test_sentences_full_of_sentiment_score_as_the_original(text: str) -> None:
    assert OURS.polarity_scores(text) == ORIGINAL.polarity_scores(text)


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_scores_as_the_original(text: str) -> None:
    expected = ORIGINAL.polarity_scores(text)["compound"] if text.strip() else None
    assert vader_compound(text) == expected


@pytest.mark.parametrize("text", [None, "", "   ", "\n\t", "\u00a0\u2003"])
def test_there_is_no_score_where_there_is_no_text(text: str | None) -> None:
    assert vader_compound(text) is None


@pytest.mark.parametrize("text", ["\x00", "\x00good\x00", "\ud83d", "🏴\u200d☠️", "!" * 5000, "\u202egood\u202c"])
def test_hostile_characters_do_no_harm(text: str) -> None:
    assert vader_compound(text) == ORIGINAL.polarity_scores(text)["compound"]


@pytest.mark.parametrize(
    "unit",
    ["The war was good but bad. ", "😂", "😂 ", "good ", "x", "but ", "GOOD no "],
    ids=lambda unit: ascii(unit[:5]),
)
def test_a_megabyte_is_scored_in_a_moment(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    score = vader_compound(text)
    assert time.perf_counter() - started < 2
    assert score == OURS.compound(OURS.scored_part(text))


def test_a_long_text_is_cut_at_white_space() -> None:
    text = "wonderful " * 20_000
    part = OURS.scored_part(text)
    assert len(part) <= MAX_SCORED_CHARS
    assert len(part) > MAX_SCORED_CHARS - 20
    assert set(part.split()) == {"wonderful"}
    assert OURS.scored_part("x" * 100_000) == "x" * MAX_SCORED_CHARS


@given(st.text(alphabet="😂a b💘", min_size=800, max_size=4000))
@settings(max_examples=50, deadline=None)
def test_emoji_count_as_the_words_that_they_are_written_out_as(text: str) -> None:
    part = OURS.scored_part(text)
    assert text.startswith(part)
    written = "".join(f" {OURS.emojis[letter]}" if letter in OURS.emojis else letter for letter in part)
    assert len(written) <= MAX_SCORED_CHARS
    if len(text) * OURS._longest_written <= MAX_SCORED_CHARS:
        assert part == text


def test_a_text_at_the_bound_is_kept_whole() -> None:
    text = "a" * (MAX_SCORED_CHARS - 5) + " good"
    assert OURS.scored_part(text) == text
    assert OURS.scored_part(text + "s") == "a" * (MAX_SCORED_CHARS - 5)


@pytest.mark.parametrize(
    ("score", "category"),
    [
        (1.0, "positive"),
        (0.05, "positive"),
        (0.0499, "neutral"),
        (0.0, "neutral"),
        (-0.0, "neutral"),
        (-0.0499, "neutral"),
        (-0.05, "negative"),
        (-1.0, "negative"),
        (None, None),
        (float("nan"), None),
    ],
)
def test_categories_change_at_the_stated_scores(score: float | None, category: str | None) -> None:
    assert vader_category(score) == category
