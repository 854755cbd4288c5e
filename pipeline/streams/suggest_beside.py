"""What a draft needs beside a conversation: the answer that stands outside, and the lines that hold one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pipeline.streams import suggest_words as words
from pipeline.streams.suggest_members import Member, members_of
from pipeline.streams.suggest_said import said_in
from pipeline.streams.suggest_turns import Conversation, conversation_in

_KINDS = frozenset(("type", "kind", "event", "event_type", "object", "category"))
_MOST_KINDS = 24
_PRINTED = re.compile(r"[A-Z]\w*\(\s*\w+=")


def add_answer(found: Conversation, members: Sequence[Member]) -> None:
    """Append the answer that is logged beside turns of which none is the model's."""
    if not found.ends_asked or "append" in found.rule:
        return
    # What printing an object gave (``Response(text=…)``) holds the answer and is none.
    members = [each for each in members if not any(_PRINTED.match(str(value)) for value in each.there)]
    taken = {member.path for member in found.members}
    for name in words.RESPONSE:
        for member in members:
            if member.name == name and member.path not in taken and (rule := _turn_of(member)) is not None:
                found.rule["append"] = [rule]
                if rule == member.path:
                    turns = [turn for each in member.there for turn in each]
                    found.said |= said_in(turns, f"{member.expression()}[]", None, ())
                found.members = (*found.members, member)
                return


def _turn_of(member: Member) -> Any:
    """The rule that makes a turn of the model of a text, of texts, or that finds turns; None for neither."""
    if member.is_of(list) and all(isinstance(item, dict) for each in member.there for item in each):
        return None if conversation_in([member]) is None and not _are_items(member) else member.path
    is_one = member.is_of(list) and all(len(each) == 1 and isinstance(each[0], str) for each in member.there)
    if member.is_of(str) or is_one:
        return {
            "zip": {
                "role": {"const": "assistant"},
                "content": member.path if member.is_of(str) else f"{member.expression()}[]",
            }
        }
    return None


def _are_items(member: Member) -> bool:
    """Whether they are the items of an answer, which need no speaker."""
    kinds = {item.get("type") for each in member.there for item in each}
    return bool(kinds) and kinds <= {"message", "function_call", "reasoning", "custom_tool_call"}


def rows_inside(values: Sequence[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]] | None:
    """The path and items of the one list of objects that a file's only object is around; else None."""
    if len(values) != 1:
        return None
    lists = [
        member
        for member in members_of(values)
        if member.is_of(list)
        and len(member.there[0]) > 1
        and all(isinstance(item, dict) for item in member.there[0])
    ]
    if len(lists) != 1 or lists[0].name in words.ATTEMPTS:
        return None
    return lists[0].path, lists[0].there[0]


def lines_with_turns(members: Sequence[Member]) -> tuple[Member, str, list[int]] | None:
    """The member and its value that tell lines with a conversation from the others, and their places.

    None where no member tells, or all lines are of one kind.
    """
    best: tuple[int, Member, str, list[int]] | None = None
    for teller in members:
        if teller.name not in _KINDS or not teller.is_of(str):
            continue
        kinds = set(teller.there)
        if not (1 < len(kinds) <= _MOST_KINDS or (len(kinds) == 1 and not teller.is_everywhere)):
            continue
        for kind in sorted(kinds):
            places = [place for place, value in enumerate(teller.values) if value == kind]
            found = conversation_in(only(members, places))
            turns = 0 if found is None or found.unknown else found.speakers.total()
            if turns and (best is None or turns > best[0]):
                best = (turns, teller, kind, places)
    return None if best is None else best[1:]


def only(members: Sequence[Member], places: Sequence[int]) -> list[Member]:
    """The members as they are in some of the lines; those that these do not have are left out."""
    kept = [
        Member(each.path, each.steps, [each.values[place] for place in places], each.before)
        for each in members
    ]
    return [each for each in kept if each.there]
