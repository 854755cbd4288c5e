"""Known phrases, looked for in the tokens of a text.

A phrase is ``NGRAM`` tokens in a row, joined by spaces. Cutting every n-gram out of every text and
asking for each was two thirds of the time of a scan, so a text is first asked for the rarest token of
each phrase: where none stands, no phrase does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

NGRAM = 8


def ngrams(cut: list[str]) -> Iterator[tuple[int, str]]:
    """Each n-gram with the position of its first token."""
    for start in range(len(cut) - NGRAM + 1):
        yield start, " ".join(cut[start : start + NGRAM])


class PhraseFinder:
    """Finds all of ``phrases``, and nothing else."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = set(phrases)
        self._places: dict[str, set[int]] = defaultdict(set)
        """Token → where it stands in the phrases that it is the rarest of."""
        frequency = Counter(token for phrase in self._phrases for token in phrase.split(" "))
        for phrase in self._phrases:
            tokens = phrase.split(" ")
            place = min(range(len(tokens)), key=lambda at: (frequency[tokens[at]], -len(tokens[at]), at))
            self._places[tokens[place]].add(place)
        self._rare = frozenset(self._places)

    def found_in(self, cut: list[str]) -> set[str]:
        """The phrases that stand in a text cut into tokens."""
        found: set[str] = set()
        if self._rare.isdisjoint(cut):
            return found
        last = len(cut) - NGRAM
        for position, token in enumerate(cut):
            if token in self._rare:
                for place in self._places[token]:
                    start = position - place
                    if 0 <= start <= last:
                        found.add(" ".join(cut[start : start + NGRAM]))
        return found & self._phrases
