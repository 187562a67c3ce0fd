"""VADER in linear time, with scores equal to the original's to the last bit.

``vaderSentiment`` lower-cases the whole text again for every sentiment word, and searches the whole list of scores for
every word of a text that holds "but": the cost grows with the square of the length (6 s for 2,000 emoji, each of which
is written out as several words). `LinearTimeAnalyzer` lower-cases a text once, asks the original rules only where a
word nearby can make them do anything, and then shows them only the words that they look at.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import accumulate
from typing import NamedTuple

from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer, SentiText

# The most characters that are scored, counted after emoji are written out in words. The longest overview in TMDB has
# 1,000 and the longest reviews some 20,000, so this only stops abuse: a text at the bound takes about 0.2 s.
MAX_SCORED_CHARS = 50_000

# A cut moves back at most this far to end on a whole word.
_LONGEST_WORD = 200

# The rules for a word look at the three words before it and the two after it.
_WORDS_BEFORE = 3
_WORDS_AFTER = 2


class _Window(NamedTuple):
    """The part of vaderSentiment's ``SentiText`` that the rules for one word read."""

    words_and_emoticons: list[str]
    is_cap_diff: bool


class LinearTimeAnalyzer(SentimentIntensityAnalyzer):  # type: ignore[misc]
    """vaderSentiment's analyser with the same results and a cost linear in the length of the text."""

    def __init__(self) -> None:
        """Read the lexicons that are installed with vaderSentiment."""
        super().__init__()
        # An emoji is written out as its description and up to one space.
        self._written_length = {emoji: len(words) + 1 for emoji, words in self.emojis.items()}
        self._longest_written = max(self._written_length.values())
        self._scored = self.lexicon.keys() - BOOSTER_DICT.keys()
        # Of what the rules look for in several words, the longest: where that is not near, they find nothing.
        phrases = (*BOOSTER_DICT, *SPECIAL_CASES)
        self._changing = {"no", "least", "so", "this", *NEGATE, *(max(phrase.split(), key=len) for phrase in phrases)}

    def compound(self, text: str) -> float:
        """Return the compound score, from -1 to 1, of as much of a text as `scored_part` leaves."""
        return float(self.polarity_scores(self.scored_part(text))["compound"])

    def scored_part(self, text: str) -> str:
        """Return the start of the text that fits in `MAX_SCORED_CHARS`, cut at white space where there is any."""
        if len(text) * self._longest_written <= MAX_SCORED_CHARS:
            return text
        if text.isascii():
            fits = min(len(text), MAX_SCORED_CHARS)
        else:
            lengths = accumulate(self._written_length.get(letter, 1) for letter in text[:MAX_SCORED_CHARS])
            fits = sum(1 for length in lengths if length <= MAX_SCORED_CHARS)
        if fits == len(text):
            return text
        for end in range(fits, max(fits - _LONGEST_WORD, 0), -1):
            if text[end].isspace():
                return text[:end]
        return text[:fits]

    def polarity_scores(self, text: str) -> dict[str, float]:
        """Return the original's four scores of a text: neg, neu, pos and compound."""
        text = (text if self.emojis.keys().isdisjoint(text) else self._without_emoji(text)).strip()
        senti_text = SentiText(text)
        words = senti_text.words_and_emoticons
        lower = [word.lower() for word in words]
        last = len(lower) - 1
        sentiments = [0.0] * len(lower)
        has_nt = "n't" in text.lower()
        for i, word in enumerate(lower):
            if word not in self._scored or (word == "kind" and i < last and lower[i + 1] == "of"):
                continue
            start = max(0, i - _WORDS_BEFORE)
            nearby = lower[start : i + _WORDS_AFTER + 1]
            if words[i].isupper() or not self._changing.isdisjoint(nearby) or (has_nt and "n't" in " ".join(nearby)):
                window = _Window(words[start : i + _WORDS_AFTER + 1], senti_text.is_cap_diff)
                (sentiments[i],) = self.sentiment_valence(0, window, words[i], i - start, [])
            else:
                sentiments[i] = self.lexicon[word]
        if "but" in lower:
            sentiments = self._but_check(lower, sentiments)
        scores: dict[str, float] = self.score_valence(sentiments, text)
        return scores

    def _without_emoji(self, text: str) -> str:
        """Write out each emoji as its description, apart from what stands before it."""
        written: list[str] = []
        is_apart = True
        for letter in text:
            description = self.emojis.get(letter)
            if description is not None and not is_apart:
                written.append(" ")
            written.append(letter if description is None else description)
            is_apart = letter == " "
        return "".join(written)

    @staticmethod
    def _but_check(words_and_emoticons: list[str], sentiments: list[float]) -> list[float]:
        """Halve the scores before the first "but" and raise those after it by half, as the original does.

        The original looks up each score by its value and changes the first equal one, which need not be the one it
        stands on. That is kept; the search through the list is replaced by a heap of positions for each value.
        """
        but = next((i for i, word in enumerate(words_and_emoticons) if word.lower() == "but"), None)
        if but is None:
            return sentiments
        positions: defaultdict[float, list[int]] = defaultdict(list)
        for i, score in enumerate(sentiments):
            positions[score].append(i)
        for i in range(len(sentiments)):
            score = sentiments[i]
            first = positions[score][0]
            if first == but or not score:
                continue
            changed = score * (0.5 if first < but else 1.5)
            sentiments[first] = changed
            heapq.heappush(positions[changed], heapq.heappop(positions[score]))
        return sentiments
