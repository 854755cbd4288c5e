"""What a row says beside its texts, and its run as well: its stream, task, model and flags, and its side.

Trainers choose rows by these: one that names another task, or lies on the other side of the split, is
trained on where it must not be. A member that is not there is the schema's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from msgspec import UNSET

from pipeline.contracts.lint import RewardHack
from pipeline.firewall.conversation import Message
from pipeline.firewall.fidelity import turns_of
from pipeline.firewall.index_rows import EvidenceRow
from pipeline.firewall.sft_row import SftRow
from pipeline.firewall.split_sides import SplitRule, side_of

_SIGNS_OF_HACKS = frozenset(sign.value for sign in RewardHack)  # of evidence alone
_OF_SFT = ("stream", "task_id", "model_name", "flags")
_PLAIN = Message()  # a turn of a flat run, which has neither name nor weight


def beside_texts_differ(row: SftRow, run: EvidenceRow, rule: SplitRule | None) -> str | None:
    """In which words an SFT row is not that of its run, whose texts it has; or None."""
    return (
        facts_differ(((name, getattr(row, name)) for name in _OF_SFT), run)
        or turns_told_otherwise(row.messages or (), run)
        or side_differs(row.split, run, rule)
    )


def facts_differ(facts: Iterable[tuple[str, object]], run: EvidenceRow) -> str | None:
    """In which words one of these members is not that of its run, or None. ``facts`` are (name, value)."""
    for name, value in facts:
        its = _OF_RUN[name](run)
        if value is not UNSET and its is not UNSET and (value or "") != its:
            return f"its {name} is not that of its run"
    return None


def side_differs(split: object, run: EvidenceRow, rule: SplitRule | None) -> str | None:
    """In which words a row lies on another side than its export's rule says; None where there is no rule."""
    if rule is None or split is UNSET or split == side_of(run, rule):
        return None
    return "its split is not that of its question"


def turns_told_otherwise(messages: Sequence[Message], run: EvidenceRow, exactly_from: int = 0) -> str | None:
    """What a turn says beside its text: who spoke, which call it answers, and what it weighs; from a turn on.

    Templates print names, and a trainer learns an answer by its weight. Of turns that were joined or parted
    nobody can say which is which: those of one speaker in a row are compared as one.
    """
    if not run.messages:
        its_own: Sequence[Message] = [_PLAIN] * len(messages)
    elif all(map(_surely_speaks, messages)) and _stand_alike(messages, run.messages):
        its_own = run.messages
    else:
        ours, theirs = (_speaking(turns) for turns in (messages, run.messages))
        exactly_from = len(_speaking(messages[:exactly_from]))
        if not _stand_alike(ours, theirs):
            return _told_otherwise_together(ours, theirs)
        messages, its_own = ours, theirs
    for number, (mine, its) in enumerate(zip(messages, its_own, strict=False), 1):
        if number <= exactly_from:
            continue
        if (mine.name or "") != (its.name or "") or (mine.tool_call_id or "") != (its.tool_call_id or ""):
            return f"its turn {number} has another name or id than its run"
        if mine.role == "assistant" and _weight(mine) != _weight(its):
            return f"its turn {number} has another weight than its run"
    return None


def _stand_alike(ours: Sequence[Message], theirs: Sequence[Message]) -> bool:
    """Whether turns are as many as those of a run, or fewer, and of the same speakers."""
    return len(ours) <= len(theirs) and all(
        mine.role == its.role for mine, its in zip(ours, theirs, strict=False)
    )


def _surely_speaks(message: Message) -> bool:
    """Whether a turn says something, as far as its first character tells; nearly all do."""
    content = message.content
    return bool(message.tool_calls) or (content is not UNSET and bytes(content)[1:2].isalnum())


def _speaking(messages: Sequence[Message]) -> list[Message]:
    turns = turns_of(messages)
    return [message for message, turn in zip(messages, turns, strict=True) if not turn.says_nothing]


def _told_otherwise_together(ours: Sequence[Message], theirs: Sequence[Message]) -> str | None:
    for number, (mine, its) in enumerate(zip(_by_speaker(ours), _by_speaker(theirs), strict=False), 1):
        for what, beside in (("name or id", _name_and_id), ("weight", _weight)):
            if (what != "weight" or mine[0].role == "assistant") and set(map(beside, mine)) != set(
                map(beside, its)
            ):
                return f"its turn {number} has another {what} than its run"
    return None


def _by_speaker(messages: Sequence[Message]) -> list[list[Message]]:
    return [list(turns) for _, turns in groupby(messages, key=lambda message: message.role)]


def _name_and_id(message: Message) -> tuple[str, str]:
    return message.name or "", message.tool_call_id or ""


def _weight(message: Message) -> object:
    return 1 if message.weight is UNSET or message.weight is None else message.weight


def _flags(run: EvidenceRow) -> object:
    if run.flags is UNSET:
        return UNSET
    return " ".join([flag for flag in run.flags if flag not in _SIGNS_OF_HACKS])


def _model_name(run: EvidenceRow) -> object:
    return UNSET if run.model_name is UNSET else run.model_name or ""


_OF_RUN: dict[str, Callable[[EvidenceRow], object]] = {
    "stream": lambda run: run.stream,
    "task_id": lambda run: run.task_id,
    **dict.fromkeys(("model_name", "chosen_model_name", "rejected_model_name"), _model_name),
    "flags": _flags,
}
