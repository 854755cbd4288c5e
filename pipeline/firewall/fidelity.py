"""The fifth wall: an exported row says what its run said.

A row's turns are held against those of the evidence that it names: as ``docs/exports.md`` calls texts
strictly the same, to find which turn is which, and then character by character, since no exporter
changes a text. Nearly all rows hold the very bytes of their evidence, which is looked at first; only
the others are compared at length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.contracts.plurals import plural
from pipeline.firewall.call_forms import arguments_form
from pipeline.firewall.conversation import Message, calls_of, text_of
from pipeline.firewall.index_rows import EvidenceRow
from pipeline.firewall.sft_row import SftRow
from pipeline.firewall.text_forms import question_form, strict_form, without_hidden

_encode = msgspec.json.Encoder().encode
_EMPTY = (b'""', b"null")
_NO_TEXT = Raw(_EMPTY[0])
_NO_TOOLS = ("", "value null", "value []")


class Turn(NamedTuple):
    """What one speaker said: a text, what was thought before it, and calls as (name, arguments)."""

    role: str
    text: str
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()

    @property
    def says_nothing(self) -> bool:
        return not self.calls and _reads_empty(self.text) and _reads_empty(self.reasoning)


def _reads_empty(text: str) -> bool:
    """Nothing is left of it in its strict form. Nearly every text says so by its first character.

    Most turns have no reasoning, which needs no form to be empty.
    """
    if not text:
        return True
    begins_with_a_letter = text[:1].isascii() and text[:1].isalnum()
    return not begins_with_a_letter and not strict_form(text).text


def sft_row_differs(row: SftRow, run: EvidenceRow) -> str | None:
    """In which words the texts of an SFT row are not what its run said, or None."""
    if _has_the_same_bytes(row, run):
        return None
    recorded = turns_of_run(run)
    if row.messages:
        mine = turns_of(row.messages)
        where = part(mine, recorded) or spelt_otherwise(mine, recorded)
        if where is not None:
            return where
    told = [turn for turn in recorded if turn.role == "system"]
    # In a conversation the texts are its view, in a flat row they are all of it.
    views = (
        ("instruction", row.instruction, next((turn.text for turn in recorded if turn.role == "user"), "")),
        ("context", row.context, told[0].text if told else ""),
        ("response", row.response, _last_text(recorded)),
    )
    # A text that nobody can see may be in the evidence and not in the view, or beside the turns.
    texts = {"", text_of(run.context) or "", *(turn.text for turn in recorded)}
    for name, raw, expected in views:
        text = text_of(raw) or ""
        if text != expected and (text not in texts or strict_form(text).text != strict_form(expected).text):
            return f"its {name} is not that of its run"
    return tools_differ(text_of(row.tools), run)


def tools_differ(tools: str | None, run: EvidenceRow, *, exactly: bool = True) -> str | None:
    """The definitions of tools are those that the model saw; of none there is nothing to read."""
    recorded = text_of(run.tools) or ""
    is_same = (tools or "") == recorded
    if not is_same and not (tools and exactly):
        mine, its = arguments_form(tools or ""), arguments_form(recorded)
        is_same = mine == its or (mine in _NO_TOOLS and its in _NO_TOOLS)
    return None if is_same else "its tools are not those of its run"


def turns_of_run(run: EvidenceRow) -> list[Turn]:
    """All turns up to the last answer; of a flat run its three texts as turns."""
    context = text_of(run.context) or ""
    if run.messages:
        turns = _up_to_last_answer(turns_of(run.messages))
        if question_form(context) and not any(
            turn.role == "system" and question_form(turn.text) for turn in turns
        ):
            return [_Beside("system", context), *turns]
        return turns
    texts = (("system", context), ("user", text_of(run.instruction)), ("assistant", text_of(run.response)))
    return [Turn(role, text or "") for role, text in texts]


class _Beside(Turn):
    """A context that a mapper gave beside the turns: exports show it, their messages do not hold it."""


def turns_of(messages: Iterable[Message]) -> list[Turn]:
    return [
        Turn(
            str(message.role),
            text_of(message.content) or "",
            text_of(message.reasoning) or "",
            tuple(calls_of(message)),
        )
        for message in messages
    ]


def part(mine: Sequence[Turn], recorded: Sequence[Turn]) -> str | None:
    """Where turns are not those of a run, or None. A context beside the turns may stand or be left out."""
    ours = [turn for turn in mine if not turn.says_nothing]
    theirs = [turn for turn in recorded if not turn.says_nothing]
    within = [turn for turn in theirs if not isinstance(turn, _Beside)]
    if _same(ours, within) or (len(within) < len(theirs) and _same(ours, theirs)):
        return None
    one, other = _joined(ours), _joined(within)
    for number, (mine_turn, its_turn) in enumerate(zip(one, other, strict=False), 1):
        if not _same_turn(mine_turn, its_turn, is_joined=True):
            return f"its turn {number} is not that of its run"
    if len(one) != len(other):
        return f"it has {plural(len(one), 'turn')} where its run has {len(other)}"
    return None


def spelt_otherwise(mine: Sequence[Turn], recorded: Sequence[Turn], exactly_from: int = 0) -> str | None:
    """Where a turn is not, to the last character, one of a run that it was found to be part of; or None."""
    said = set(recorded)
    exact = mine[exactly_from:]
    other = [at for at, turn in enumerate(exact, exactly_from + 1) if any(turn[1:]) and turn not in said]
    if not other or set(_joined(exact)) <= set(_joined(recorded)):
        return None
    return f"its turn {other[0]} holds characters that its run did not say"


def begins(mine: Sequence[Turn], recorded: Sequence[Turn]) -> bool:
    """Whether turns are the first ones of a run."""
    ours = [turn for turn in mine if not turn.says_nothing]
    theirs = [turn for turn in recorded if not turn.says_nothing and not isinstance(turn, _Beside)]
    return _same(ours, theirs[: len(ours)])


def _same(ours: Sequence[Turn], theirs: Sequence[Turn]) -> bool:
    return len(ours) == len(theirs) and all(
        _same_turn(one, other, is_joined=False) for one, other in zip(ours, theirs, strict=True)
    )


def _same_turn(one: Turn, other: Turn, *, is_joined: bool) -> bool:
    if one == other:
        return True
    if one.role != other.role or len(one.calls) != len(other.calls):
        return False
    for mine, its in ((one.text, other.text), (one.reasoning, other.reasoning)):
        mine, its = strict_form(mine).text, strict_form(its).text
        if mine != its and not (is_joined and mine.split() == its.split()):
            return False
    return all(
        without_hidden(name).strip() == without_hidden(its_name).strip()
        and arguments_form(given) == arguments_form(its_given)
        for (name, given), (its_name, its_given) in zip(one.calls, other.calls, strict=True)
    )


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """Turns of one speaker in a row as one: a text that was cut in two is still that text."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            before = joined.pop()
            text, thought = (
                "\n".join(filter(None, pair))
                for pair in ((before.text, turn.text), (before.reasoning, turn.reasoning))
            )
            turn = Turn(turn.role, text, thought, before.calls + turn.calls)
        joined.append(turn)
    return joined


def _up_to_last_answer(turns: list[Turn]) -> list[Turn]:
    for at in range(len(turns) - 1, -1, -1):
        if turns[at].role == "assistant" and (turns[at].calls or turns[at].text.strip()):
            return turns[: at + 1]
    return []


def _last_text(turns: Sequence[Turn]) -> str:
    said = (turn.text for turn in reversed(turns) if turn.role == "assistant" and turn.text.strip())
    return next(said, "")


# The quick look


def _has_the_same_bytes(row: SftRow, run: EvidenceRow) -> bool:
    """Whether a row of version 2 holds the bytes of its run, so that nothing has to be compared."""
    messages = row.messages
    if not messages or not _is_same(row.tools, run.tools):
        return False
    if not run.messages:
        told = 1 if len(messages) == 3 else 0
        return (
            len(messages) == 2 + told
            and [message.role for message in messages[told:]] == ["user", "assistant"]
            and (not told or messages[0].role == "system")
            and _is_same(row.instruction, run.instruction)
            and _is_same(row.context, run.context)
            and _is_same(row.response, run.response)
            and messages[told].content == row.instruction
            and messages[told + 1].content == row.response
            and (messages[0].content == row.context if told else bytes(row.context or b'""') in _EMPTY)
            and not any(message.tool_calls or not _is_empty(message.reasoning) for message in messages)
        )
    if len(messages) > len(run.messages):
        return False
    for mine, its in zip(messages, run.messages, strict=False):
        if mine.role != its.role or not _is_same(mine.content, its.content):
            return False
        if not _is_same(mine.reasoning, its.reasoning) or not _same_calls(mine, its):
            return False
    rest = run.messages[len(messages) :]
    if any(message.role == "assistant" for message in rest) or messages[-1].role != "assistant":
        return False
    return _is_view(row, run)


def _is_view(row: SftRow, run: EvidenceRow) -> bool:
    """Whether the three texts of a conversation are views of it, byte for byte."""
    messages = row.messages or []
    asked = next((message.content for message in messages if message.role == "user"), UNSET)
    told = next((message.content for message in messages if message.role == "system"), run.context)
    said = next((m.content for m in reversed(messages) if m.role == "assistant"), UNSET)
    return _is_same(row.instruction, asked) and _is_same(row.context, told) and _is_same(row.response, said)


def _is_empty(raw: Raw | UnsetType) -> bool:
    return raw == _NO_TEXT or raw is UNSET or (len(raw) <= 4 and bytes(raw) in _EMPTY)


def _is_same(mine: Raw | UnsetType, its: Raw | UnsetType) -> bool:
    return mine == its or (_is_empty(mine) and _is_empty(its))


def _same_calls(mine: Message, its: Message) -> bool:
    if not mine.tool_calls and not its.tool_calls:
        return True
    said = mine.tool_calls
    return isinstance(said, str) and said.encode() == _encode(its.tool_calls)
