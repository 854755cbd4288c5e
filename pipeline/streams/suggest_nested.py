"""Turns that stand deeper in a list than one by one: wrapped, in parts of messages, in the steps of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

Turn = dict[str, Any]

# LangChain writes a message below ``data`` or, with its class, below ``kwargs``.
_WRAPPERS = ("data", "kwargs", "message")
_SYSTEM = ("instructions", "system_prompt", "system")


class Seen(NamedTuple):
    """``turns`` are those that ``path``, behind the list's own, finds; ``system`` one beside them."""

    path: str
    turns: list[Turn]
    system: str | None = None


def ways_to_turns(lists: Sequence[list[Any]]) -> Iterator[Seen]:
    """What may be the turns of conversations, one list each: as they are, unwrapped, the parts of them."""
    turns = [turn for each in lists for turn in each]
    if not turns or not all(isinstance(turn, dict) for turn in turns):
        return
    yield Seen("", turns)
    for name in _WRAPPERS:
        if all(isinstance(turn.get(name), dict) for turn in turns):
            yield Seen(f"[].{name}", [turn[name] for turn in turns])
    if all(isinstance(turn.get("parts"), list) for turn in turns):
        parts = [part for turn in turns for part in turn["parts"]]
        if parts and all(isinstance(part, dict) for part in parts):
            yield Seen("[].parts[]", parts, _beside(turns))


def _beside(turns: Sequence[Turn]) -> str | None:
    return next((name for name in _SYSTEM if isinstance(turns[0].get(name), str)), None)


class Steps(NamedTuple):
    """A run whose steps hold all that was said before: ``name`` of the last one, and the answer beside."""

    name: str
    lists: list[list[Any]]
    answer: str | None


def last_steps(lists: Sequence[list[Any]]) -> Iterator[Steps]:
    """The members of steps whose list of turns grows from step to step, so that the last has them all."""
    runs = [[step for step in each if isinstance(step, dict)] for each in lists]
    runs = [run for run in runs if run]
    if not runs:
        return
    for name in dict.fromkeys(name for run in runs for name in run[-1]):
        if not all(isinstance(run[-1][name], list) for run in runs if name in run[-1]):
            continue
        grown = [[step[name] for step in run if isinstance(step.get(name), list)] for run in runs]
        if all(each and name in run[-1] and _grows(each) for each, run in zip(grown, runs, strict=True)):
            yield Steps(name, [each[-1] for each in grown], _answer([run[-1] for run in runs]))


def _grows(lists: list[list[Any]]) -> bool:
    return all(later[: len(one)] == one for one, later in pairwise(lists))


def _answer(steps: list[Turn]) -> str | None:
    """The member that is a turn of the model in each of the steps."""
    for name in steps[0]:
        found = [step.get(name) for step in steps]
        if all(isinstance(each, dict) and each.get("role") == "assistant" for each in found):
            return name
    return None
