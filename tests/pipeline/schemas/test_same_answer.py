"""Two answers that begin otherwise are told apart at once: never two that the slow way calls the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schemas import same_answer as module
from pipeline.schemas.same_answer import Turn, same_answer

LONG = "The answer that both of them give is long enough to be looked at in its beginning alone. "
_PIECES = st.sampled_from(
    [*"ab `~\n\t\x0b\x85", "\u0301", "\u200b", "\u200d", "\u00ad", "e\u0301", "é", "```\n", " ", LONG]
)
_TEXTS = st.lists(_PIECES, max_size=80).map("".join)


def _slowly(one: str, other: str) -> bool:
    return module._text(one) == module._text(other)


@given(_TEXTS, _TEXTS)
def test_texts_that_begin_otherwise_are_not_the_same(one: str, other: str) -> None:
    if module._begin_otherwise(one, other):
        assert not _slowly(one, other)


@given(_TEXTS, st.integers(0, 200), _PIECES)
def test_a_text_with_one_piece_more_is_judged_as_the_slow_way_does(text: str, at: int, piece: str) -> None:
    other = text[:at] + piece + text[at:]
    if _slowly(text, other):
        assert not module._begin_otherwise(text, other)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [(LONG + "\n", True), ("```\n" + LONG + "\n```", True), (LONG.replace("both", "most"), False)],
)
def test_answers_of_one_turn(other: str, is_same: bool) -> None:
    assert same_answer([Turn(LONG, [])], [Turn(other, [])]) is is_same


def test_the_beginning_tells_most_answers_apart() -> None:
    assert module._begin_otherwise(LONG, LONG.replace("both", "most"))
    assert module._begin_otherwise("One.\n" + LONG, "One.  \n\n" + LONG), "an empty line stays between two"
    assert not module._begin_otherwise("One.\n" + LONG, "One.  \n" + LONG)
    assert not module._begin_otherwise(LONG, LONG)
    assert module._begin_otherwise("  Yes, it is", "\tYes, it is"), "as a line begins, so it is compared"
    assert not module._begin_otherwise("  ```\nx = 1\n```", "x = 1")
    assert module._begin_otherwise("Yes, журнал", "No, журнал"), "as far as they begin in ASCII"
    assert not module._begin_otherwise("журнал", "No"), "the whole of any other text is compared"
    assert not module._begin_otherwise("e", "e\u0301")
