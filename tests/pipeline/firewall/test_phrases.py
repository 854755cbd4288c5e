"""A finder of phrases against the plain way: every n-gram of the text, looked up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.firewall.phrases import NGRAM, PhraseFinder, ngrams

# Few words, so that phrases recur, overlap and share their rarest token.
WORDS = st.lists(st.sampled_from(["a", "b", "c", "longer", "7"]), max_size=30)


@given(items=st.lists(WORDS, max_size=4), text=WORDS, quoted=st.booleans())
def test_all_phrases_of_a_text_are_found_and_no_others(
    items: list[list[str]], text: list[str], quoted: bool
) -> None:
    if quoted and items:
        text = [*text, *items[0], *text]
    phrases = {gram for item in items for _, gram in ngrams(item)}
    assert PhraseFinder(phrases).found_in(text) == phrases & {gram for _, gram in ngrams(text)}


def test_a_text_of_one_phrase_and_one_that_lacks_its_last_token() -> None:
    phrase = [f"w{number}" for number in range(NGRAM)]
    finder = PhraseFinder([" ".join(phrase)])
    assert finder.found_in(phrase) == {" ".join(phrase)}
    assert finder.found_in(phrase[:-1]) == set()
    assert finder.found_in([*phrase[:-1], "other"]) == set()
    assert PhraseFinder([]).found_in(phrase) == set()
