"""When texts, answers and questions are the same, and that keys agree with it.

That the firewall says the same of each is tested in ``tests/pipeline/firewall/test_same_rules.py``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.refusals import Refusal
from pipeline.stages.same_text import loose, one_spaced, strict, strict_characters
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.text_keys import AnswerKeys, digest16
from tests.pipeline.stages.builders import conversation, evidence, turn
from tests.pipeline.stages.keys_of_runs import answer_keys_of

SPACES = [chr(code) for code in range(0x110000) if chr(code).isspace()]
TEXTS = st.text(st.sampled_from([*SPACES, "a", "b", "e", "\u0301", "´", "ﬁ", "\u200b", "中"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("  a \r\n\t b  ", "  a\n\t b"),
        ("\n\nﬁle №1 \n", "ﬁle №1"),
        ("e\u0301\u200b\ufeff", "é"),
        ("a\u2028b\u00a0", "a\nb"),
        ("fo\u200dr\u00adty", "forty"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\u06cc\u200c \u200d\u062e", "\u06cc \u062e"),
        ("👩\u200d💻 四\u200d十", "👩\u200d💻 四十"),
        ("\u200b\r\n ", ""),
    ],
)
def test_strict_forms(text: str, form: str) -> None:
    assert strict(text) == (form, False)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("\n~~~~\n~~~\n```\n~~~~~ \n", "~~~\n```"),
        ("```\na\n```\nb\n```", None),
        ("```\na", None),
        ("```a``` b\nc\n```", None),
        ("Here:\n```\na\n```", None),
        ("```\n```", ""),
    ],
)
def test_one_fence_around_the_whole(text: str, inside: str | None) -> None:
    assert strict(text).was_fenced is (inside is not None)
    assert strict(text).text == (text if inside is None else inside)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("It is forty two.", "It is  forty\ntwo!", True),
        ("It is forty two...", "It is forty two…", True),
        ("It is forty two..", "It is forty two", False),
        ("It is 42.", "It is 42", False),
        ("答えは四十二です。", "答えは四十二です", True),
        ("Ｙｅｓ", "Yes", True),
        ("Yes\n\n---\n* * *", "Yes", True),
        ("Yes", "yes", False),
        ("10²", "102", False),
        ("1½", "11⁄2", False),
        ("C#", "C", False),
        ("Use it:\n```\na  b\n```", "Use  it:\n```\na  b\n```", True),
        ("Use it:\n```\na  b\n```", "Use it:\n```\na b\n```", False),
        ("Use it:\n\n    a  b", "Use it:\n\n    a b", False),
        ("Use it:\n\n    a  b", "Use it: a b", False),
    ],
)
def test_texts_that_are_loosely_the_same_and_that_are_not(one: str, other: str, same: bool) -> None:
    assert (loose(strict(one).text) == loose(strict(other).text)) is same


@given(TEXTS | st.text())
def test_the_fast_way_to_one_space_equals_the_definition(text: str) -> None:
    assert one_spaced(text) == " ".join(text.split())


@given(TEXTS)
def test_composition_and_line_ends_never_count(text: str) -> None:
    assert strict(unicodedata.normalize("NFD", text)).text == strict(text).text
    assert strict("\r\n".join(re.split("\r?\n", text)) + " \n").text == strict(text).text


def test_every_character_that_nobody_sees_is_found_beside_others() -> None:
    """The quick look for them must know of each one that the rule itself takes out."""
    hidden = {
        0xAD,
        0x34F,
        0x61C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x3164,
        0xFEFF,
        0xFFA0,
        *range(0x200B, 0x2010),
    }
    for first, last in (
        *((0x180B, 0x180F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8)),
        *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
    ):
        hidden.update(range(first, last + 1))
    kept = {one for one in sorted(hidden) if strict_characters(f"\u044f{chr(one)}.") != "\u044f."}
    assert kept == set()
    others = {one for one in range(0x80, 0x110000) if not strict_characters(f"\u044f{chr(one)}.")[1:-1]}
    assert others == hidden


@given(st.text(st.sampled_from("a \u00b2\u00bd\u2460\ufb01\u0439\u2026\u2075\u00a0")))
def test_prose_is_nfkc_but_for_the_numbers_that_are_kept(text: str) -> None:
    pieces = [
        piece if piece in "\u00b2\u00bd\u2075\u2460" else unicodedata.normalize("NFKC", piece)
        for piece in text
    ]
    # A line that begins with four blanks is code, which is not prose: the text begins with a letter.
    assert loose("a" + text + "a") == loose("a" + "".join(pieces) + "a")


def test_parts_of_a_digest_do_not_run_together() -> None:
    assert digest16("ab", "c") != digest16("a", "bc") != digest16("abc")
    assert len(digest16("a\ud800")) == 16


@given(TEXTS, TEXTS)
def test_two_responses_share_a_key_exactly_when_they_are_the_same_text(one: str, other: str) -> None:
    mine, yours = answer_keys_of(evidence(response=one)), answer_keys_of(evidence(response=other))
    assert (mine is None) is (strict(one).text == "")
    if mine and yours:
        assert (mine.strict == yours.strict) is (strict(one).text == strict(other).text)
        assert (mine.loose == yours.loose) is (loose(strict(one).text) == loose(strict(other).text))


def test_what_is_code_as_a_whole_has_no_loose_key() -> None:
    fenced, plain = (answer_keys_of(evidence(response=text)) for text in ("```\na b\n```", "a b"))
    assert fenced is not None
    assert plain is not None
    assert fenced == (plain.strict, b"")
    assert plain.loose


def test_a_conversation_with_one_answer_has_the_keys_of_that_answer() -> None:
    chat = conversation(
        1, turn("user", "Which?"), turn("assistant", "wc -l\r\nFILE "), turn("user", "Thanks")
    )
    assert answer_keys_of(chat) == answer_keys_of(evidence(response="wc -l\nFILE"))


def test_all_assistant_turns_count_and_silent_ones_do_not() -> None:
    def keys(*answers: dict[str, Any]) -> AnswerKeys | None:
        return answer_keys_of(conversation(1, turn("user", "Go"), *answers))

    once = keys(turn("assistant", "a"), turn("user", "?"), turn("assistant", "b"))
    assert once == keys(turn("assistant", "a"), turn("assistant", " \u200b"), turn("assistant", "b"))
    assert once != keys(turn("assistant", "b"), turn("assistant", "a"))
    assert once != keys(turn("assistant", "b"))
    assert keys(turn("assistant", None)) is None


def test_a_call_is_part_of_the_answer_and_no_text_can_pose_as_one() -> None:
    def keys(answer: dict[str, Any]) -> AnswerKeys | None:
        return answer_keys_of(conversation(1, turn("user", "Go"), answer))

    call = turn("assistant", "x", ("rm", '{"path": "a", "n": 1}'))
    different = {
        keys(call),
        keys(turn("assistant", "x", ("rm", '{"path": "b", "n": 1}'))),
        keys(turn("assistant", "x", ("mv", '{"path": "a", "n": 1}'))),
        keys(turn("assistant", "x")),
        keys(turn("assistant", 'x rm {"path": "a", "n": 1}')),
        keys(turn("assistant", "x", ("rm", '{"path": "a", "n": 1}'), ("rm", '{"path": "a", "n": 1}'))),
    }
    assert len(different) == 6
    other_id = {**call, "tool_calls": [{**call["tool_calls"][0], "id": "another"}]}
    assert keys(call) == keys(other_id)
    assert keys(call) == keys(turn("assistant", "x", ("rm", '{ "n": 1.0, "path": "\\u0061" }')))


def sample(row: dict[str, Any]) -> Sample:
    found = read_sample(row)
    assert not isinstance(found, Refusal), found
    return found


def test_a_question_is_all_that_stands_before_the_first_answer() -> None:
    asked = evidence(instruction="Positive?", context="It  is\ngood.")
    chat = conversation(1, turn("system", "It is good."), turn("user", "Positive?"), turn("assistant", "Yes"))
    assert sample(asked).question_key == sample(chat).question_key
    others = [
        asked | {"context": "It is bad."},
        asked | {"context": None},
        asked | {"instruction": "Negative?"},
        conversation(1, turn("user", "Positive?"), turn("user", "Well?"), turn("assistant", "Yes")),
    ]
    assert len({sample(row).question_key for row in (asked, *others)}) == 5
    later = conversation(1, *chat["messages"], turn("user", "Sure?"), turn("assistant", "Yes"))
    assert sample(later).question_key == sample(chat).question_key


def test_within_a_task_what_the_system_said_does_not_count() -> None:
    chats = [
        conversation(
            1, turn("system", f"It is the {day} of May."), turn("user", "Go"), turn("assistant", "a")
        )
        for day in ("4th", "5th")
    ]
    assert len({sample(chat).question_key for chat in chats}) == 2
    assert len({sample(chat).task_question_key for chat in chats}) == 1
    assert sample(chats[0] | {"task_id": "other"}).task_question_key != sample(chats[0]).task_question_key
    assert sample(chats[0] | {"stream": "other"}).task_question_key != sample(chats[0]).task_question_key
