"""What a run said, by its evidence, and where an exported row says something else.

For ``distill lineage``: a check of its own beside the exporters, which write the texts, and beside the
firewall, which judges whole files. Turns are told from each other as ``docs/exports.md`` has it on the
strict level, and then compared character by character; titles, tags, weights and the ids of calls are not.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby, zip_longest
from typing import Any, NamedTuple

from pipeline.contracts.untrusted import visible

_ROLES = ("system", "user", "assistant", "tool")
_QUOTED = 40  # characters that a sentence quotes from where two texts part
_HEADING = re.compile(r"(?:# Task|# Given|# What worked|# What partly worked|## Step [0-9]+)(?=\n|$)|\n")
_LINE_ENDS = 2  # that an exporter puts between two parts of a playbook
# Default_Ignorable_Code_Point of Unicode 15; the joiners (200C, 200D) have a rule of their own.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b\u200e-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# A joiner joins nothing at an end of a text, nor beside Latin, Greek, Cyrillic or a sign of them.
_IDLE_JOINER = re.compile("(?<![^\u0000-\u052f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\u0000-\u052f])")
_LANGUAGE = re.compile(r" *[\w+#.-]{0,20} *", re.A)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class Turn(NamedTuple):
    """What one speaker said. ``calls`` are names with arguments, as text."""

    role: str
    text: str
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.calls or self.text.strip() or self.reasoning.strip())


class _NoTurnsError(Exception):
    """A row that cannot be read as what it should be. The text says where."""


def parts_of_row(kind: str, row: dict[str, Any], evidence: dict[str, Any], role: str) -> Iterator[str]:
    """A sentence for each place where a row of the export ``kind`` is not what its run said.

    ``role`` is the side of a pair that the evidence is of. Raises nothing that a row can cause.
    """
    try:
        said = _turns_of_evidence(evidence)
        if kind == "sft":
            yield from _sample(row, evidence, said)
        elif kind == "rag":
            yield from _playbook(row, evidence, said)
        else:
            yield from _side(row, evidence, said, role)
    except _NoTurnsError as error:
        yield f"its texts cannot be compared with those of its run: {error}"


def _sample(row: dict[str, Any], evidence: dict[str, Any], said: list[Turn]) -> Iterator[str]:
    views = {
        "instruction": _first(said, "user"),
        "context": _first(said, "system") or _text(evidence, "context"),
        "response": next(
            (turn.text for turn in reversed(said) if turn.role == "assistant" and turn.text.strip()), ""
        ),
    }
    # A text that nobody can see may stand in the run and not in the view of it.
    texts = {"", _text(evidence, "context"), *(turn.text for turn in said)}
    for name, expected in views.items():
        text = _text(row, name)
        parted = list(_parted(f"its {name}", text, expected))
        yield from parted
        if not parted and text != expected and text not in texts:
            yield f"its {name} holds characters that its run did not say"
    turns = _turns(row, "messages")
    parted = list(_conversations(turns, said, evidence))
    yield from parted or _other_characters(turns, said, evidence)
    yield from _tools(row, evidence)
    if _text(row, "tools") not in ("", _text(evidence, "tools")):
        yield "its tools are not those that its run was given, to the last character"


def _side(row: dict[str, Any], evidence: dict[str, Any], said: list[Turn], role: str) -> Iterator[str]:
    prompt, answer = _turns(row, "prompt"), _turns(row, role)
    recorded = said
    whole, said = _speaking([*prompt, *answer]), _speaking(said)
    begun = said[: len(whole)]
    # Where pairs are written with one turn a side, a run goes on behind it.
    if len(answer) == 1 and not any(_conversations(whole, begun, evidence)):
        said = begun
    parted = list(_conversations(whole, said, evidence))
    # Both runs were asked strictly the same, and the prompt is written as the chosen one has it.
    exactly_from = 0 if role == "chosen" else len(prompt)
    for sentence in parted or _other_characters([*prompt, *answer], recorded, evidence, exactly_from):
        yield f"{role}: {sentence}"
    for sentence in _tools(row, evidence):
        yield f"{role}: {sentence}"


def _playbook(row: dict[str, Any], evidence: dict[str, Any], said: list[Turn]) -> Iterator[str]:
    """A playbook is task, context and answers in their order, and headings between them."""
    task = _text(evidence, "instruction") or _first(said, "user")
    pieces = [("task", task)]
    if not evidence.get("messages"):
        pieces.append(("context", _text(evidence, "context")))
    answers = [turn for turn in said if turn.role == "assistant" and not turn.is_empty]
    for number, turn in enumerate(answers, 1):
        pieces.append((f"answer {number}", "" if turn.text.isspace() else turn.text))
        pieces += [(f"call in answer {number}", f"`{name}` {given}") for name, given in turn.calls]
    yield from _in_order(_text(row, "content"), pieces)
    parted = list(_parted("its embedding_text", _text(row, "embedding_text"), task))
    yield from parted
    if not parted and _text(row, "embedding_text") != task:
        yield "its embedding_text holds characters that its run did not say"


def _in_order(content: str, pieces: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Where a text is not these pieces, each with its name, one after the other."""
    at = 0
    for name, piece in pieces:
        line_ends = 0  # that follow each other
        while piece and not content.startswith(piece, at):
            heading = _HEADING.match(content, at)
            line_ends = line_ends + 1 if heading and heading[0] == "\n" else 0
            if heading is None or line_ends > _LINE_ENDS:
                yield f"its content parts from its run at the {name}: {_quoted(content[at:])}"
                return
            at = heading.end()
        at += len(piece)
    line_ends = 0
    while at < len(content):
        heading = _HEADING.match(content, at)
        line_ends = line_ends + 1 if heading and heading[0] == "\n" else 0
        if heading is None or line_ends > _LINE_ENDS:
            yield f"its content goes on behind the last answer of its run: {_quoted(content[at:])}"
            return
        at = heading.end()


def _conversations(mine: list[Turn], its: list[Turn], evidence: dict[str, Any]) -> Iterator[str]:
    """Where turns part. A context that was recorded beside the turns may stand before them or not."""
    mine, its = _speaking(mine), _speaking(its)
    beside = _text(evidence, "context") if evidence.get("messages") else ""
    if beside.strip() and not _first(its, "system") and mine and mine[0].role == "system":
        its = [Turn("system", beside), *its]
    if _all_same(mine, its) or _all_same(_joined(mine), _joined(its)):
        return
    for number, (one, other) in enumerate(zip_longest(mine, its), 1):
        if one is None or other is None:
            yield f"it has {len(mine)} turns where its run has {len(its)}"
            return
        if one.role != other.role:
            yield f"its turn {number} is of {visible(one.role, 20)}, in its run of {other.role}"
            return
        for what in ("text", "reasoning"):
            for sentence in _parted(
                f"the {what} of its turn {number}", getattr(one, what), getattr(other, what)
            ):
                yield sentence
                return
        if _calls(one) != _calls(other):
            yield f"the calls of its turn {number} are not those of its run"
            return


def _other_characters(
    mine: Sequence[Turn], its: list[Turn], evidence: dict[str, Any], exactly_from: int = 0
) -> Iterator[str]:
    """Of turns that say the same: where one is not, to the last character, a turn of its run."""
    said = {*its, Turn("system", _text(evidence, "context"))}
    exact = mine[exactly_from:]
    other = [at for at, turn in enumerate(exact, exactly_from + 1) if any(turn[1:]) and turn not in said]
    if other and not set(_joined(exact)) <= set(_joined(its)):
        yield f"its turn {other[0]} holds characters that its run did not say"


def _tools(row: dict[str, Any], evidence: dict[str, Any]) -> Iterator[str]:
    if _json(_text(row, "tools")) != _json(_text(evidence, "tools")):
        yield "its tools are not those that its run was given"


def _turns_of_evidence(evidence: dict[str, Any]) -> list[Turn]:
    """All turns up to the last that answers; of a flat run its texts as turns."""
    if not evidence.get("messages"):
        context = _text(evidence, "context")
        asked = [Turn("system", context)] if context else []
        texts = [Turn("user", _text(evidence, "instruction")), Turn("assistant", _text(evidence, "response"))]
        return [*asked, *texts]
    turns = _turns(evidence, "messages")
    answers = [
        at for at, turn in enumerate(turns) if turn.role == "assistant" and (turn.calls or turn.text.strip())
    ]
    return turns[: answers[-1] + 1] if answers else []


def _turns(row: dict[str, Any], name: str) -> list[Turn]:
    value = row.get(name)
    if not isinstance(value, list):
        raise _NoTurnsError(f"{name} is no list")
    return [_turn(each, f"{name}[{at}]") for at, each in enumerate(value)]


def _turn(value: object, where: str) -> Turn:
    if not isinstance(value, dict):
        raise _NoTurnsError(f"{where} is no turn")
    role = value.get("role")
    if role not in _ROLES:
        raise _NoTurnsError(f"{where} has no role that is known")
    calls = value.get("tool_calls") or []
    if isinstance(calls, str):  # exports hold them as JSON text
        try:
            calls = json.loads(calls)
        except (ValueError, RecursionError):
            raise _NoTurnsError(f"the calls of {where} are not JSON") from None
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise _NoTurnsError(f"the calls of {where} are no list of calls")
    named = tuple((str(call.get("name")), _text(call, "arguments")) for call in calls)
    return Turn(str(role), _text(value, "content"), _text(value, "reasoning"), named)


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _NoTurnsError(f"{name} is no text")
    return value


def _first(turns: Sequence[Turn], role: str) -> str:
    return next((turn.text for turn in turns if turn.role == role), "")


def _speaking(turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if not turn.is_empty]


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    """Turns of one speaker in a row as one: whether they were cut says nothing of what was said."""
    joined = []
    for role, group in groupby(turns, key=lambda turn: turn.role):
        each = list(group)
        texts, thought = (
            "\n".join(filter(None, part)) for part in ([t.text for t in each], [t.reasoning for t in each])
        )
        joined.append(Turn(role, texts, thought, tuple(call for turn in each for call in turn.calls)))
    return joined


def _all_same(mine: Sequence[Turn], its: Sequence[Turn]) -> bool:
    return len(mine) == len(its) and all(
        one.role == other.role
        and _same(one.text) == _same(other.text)
        and _same(one.reasoning) == _same(other.reasoning)
        and _calls(one) == _calls(other)
        for one, other in zip(mine, its, strict=True)
    )


def _calls(turn: Turn) -> list[tuple[str, object]]:
    return [(_same(name), _json(given)) for name, given in turn.calls]


def _parted(what: str, mine: str, its: str) -> Iterator[str]:
    """Where one text parts from another, in words."""
    if mine == its:
        return
    one, other = _same(mine), _same(its)
    if one == other:
        return
    at = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    here, there = _quoted(one[at:]), _quoted(other[at:])
    yield f"{what} parts from its run at character {at + 1}: {here}, in its run {there}"


def _quoted(text: str) -> str:
    return f"'{visible(text, _QUOTED)}'" if text else "nothing"


def _same(text: str) -> str:
    """Equal for texts that differ in nothing that could be seen, or in a fence around the whole."""
    whole = _plain(text)
    first, *inside = whole.split("\n")
    fence = _FENCE.match(first)
    if fence is None or not inside or not _LANGUAGE.fullmatch(first, fence.end()):
        return whole
    closing = [
        at for at, line in enumerate(inside) if line.strip().strip(fence[1][0]) == "" and fence[1] in line
    ]
    return "\n".join(inside[:-1]).strip("\n") if closing == [len(inside) - 1] else whole


def _plain(text: str) -> str:
    """NFC, line ends and white space before them told apart by nothing, no characters that nobody sees."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _IDLE_JOINER.sub("", _UNSEEN.sub("", text)))
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _json(text: str) -> object:
    """The value of a JSON text, no digit of it lost; a text that is none is itself. None of no members."""
    try:
        value = json.loads(
            text or "null",
            parse_int=_number,
            parse_float=_number,
            object_pairs_hook=lambda pairs: {"members": sorted(pairs, key=lambda pair: pair[0])},
        )
    except (ValueError, ArithmeticError, RecursionError):
        return _same(text)
    return None if value in ({"members": []}, [], "") else value


def _number(digits: str) -> tuple[str, Decimal]:
    return "number", Decimal(digits)
