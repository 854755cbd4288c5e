"""What tells tasks and sessions apart in a log, and in which order the lines of a session come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from pipeline.contracts.plurals import plural, with_verb
from pipeline.streams import suggest_words as words
from pipeline.streams.suggest_members import Member


def is_id(member: Member) -> bool:
    """Whether all its values are whole numbers or short texts without a line end."""
    return member.is_of(int) or (
        member.is_of(str) and all(0 < len(value) <= 200 and "\n" not in value for value in member.there)
    )


def task_id(members: Sequence[Member]) -> Member | None:
    """The likeliest id of a task: by its name, and then any id that several lines share, or that each has."""
    ids = [member for member in members if is_id(member) and 2 * len(member.there) >= len(member.values)]
    for name in words.TASK:
        named = [
            member
            for member in ids
            if member.name == name and (len(set(member.there)) > 1 or len(member.values) == 1)
        ]
        named.sort(key=lambda member: not member.is_everywhere)
        if named:
            return named[0]
    like = [member for member in ids if _is_like_an_id(member)]
    like.sort(key=lambda member: (not member.is_everywhere, not _is_shared(member)))
    return like[0] if like else None


def ids_seen(members: Sequence[Member]) -> list[str]:
    """All that look like ids, with how many values they have, for whoever knows the log."""
    return [
        f"{member.path} ({plural(len(set(member.there)), 'value')} in {plural(len(member.there), 'line')})"
        for member in members
        if is_id(member) and (member.name in words.TASK or _is_like_an_id(member))
    ]


def about_ids(member: Member) -> str:
    """How its values spread over the lines: tasks and their attempts."""
    lines, values = len(member.there), len(set(member.there))
    missing = len(member.values) - lines
    said = f"{plural(values, 'value')} in {plural(lines, 'line')}: "
    said += "each line a task with one attempt" if lines == values else "tasks x attempts"
    return f"{said}; {with_verb(missing, 'line', 'has/have', 'none')}" if missing else said


def _is_like_an_id(member: Member) -> bool:
    last = member.words[-1] if member.words else ""
    ends_so = last in ("key", "number", "hash", "uuid") or (last.endswith("id") and last not in words.NO_IDS)
    return ends_so and not set(member.words[:-1]) & words.RUN_IDS and len(set(member.there)) > 1


def _is_shared(member: Member) -> bool:
    return len(set(member.there)) < len(member.there)


def session_id(members: Sequence[Member], is_turn: Callable[[int], bool]) -> Member | None:
    """What several lines share because they are turns of one conversation."""
    ids = [member for member in members if is_id(member) and 2 * len(member.there) > len(member.values)]
    ids = [
        member
        for member in ids
        if 2 * len(set(member.there)) <= sum(is_turn(n) for n in range(len(member.values)))
    ]
    for name in words.SESSION:
        for member in ids:
            if member.name == name:
                return member
    return next(
        (member for member in ids if member.words[-1:] == ["id"] and len(set(member.there)) > 1), None
    )


def order_of(members: Sequence[Member], session: Member) -> Member | None:
    """A number or time by which a session's lines must be sorted; None where they are in order."""
    for name in (*words.ORDER, *words.TIME):
        for member in members:
            if (
                member.name == name
                and member is not session
                and member.is_everywhere
                and member.is_of(int, float, str)
            ):
                if len({type(value) is str for value in member.there}) == 1 and not _is_sorted(
                    member, session
                ):
                    return member
                return None
    return None


def _is_sorted(member: Member, session: Member) -> bool:
    by: dict[Any, list[Any]] = {}
    for value, key in zip(member.values, session.values, strict=True):
        if key is not None:
            by.setdefault(key, []).append(value)
    return all(one <= other for each in by.values() for one, other in pairwise(each))


def is_constant_in(member: Member, session: Member) -> bool:
    """Whether no session has two values of ``member``, so that it can be the task of the session."""
    pairs = {
        (key, value) for key, value in zip(session.values, member.values, strict=True) if value is not None
    }
    return len(pairs) == len({key for key, _ in pairs}) == len(set(session.there))
