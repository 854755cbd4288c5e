"""Conversations in a log's lines: lists of turns, JSON text of them, two lists, one turn a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import orjson

from pipeline.streams import suggest_words as words
from pipeline.streams.items import is_known_item
from pipeline.streams.suggest_members import Member
from pipeline.streams.suggest_nested import Seen, last_steps, ways_to_turns
from pipeline.streams.suggest_said import said_in
from pipeline.streams.turns import CALLING_ROLES, USUAL_ROLES

_MOST_SPEAKERS = 12
_FEW_SPEAKERS = 6
_MOST_TURNS = 4000
_KINDS = {"system-prompt": "system", "user-prompt": "user", "retry-prompt": "user", "tool-return": "tool"}
_KNOWN = {**words.SPEAKERS, **USUAL_ROLES, **dict.fromkeys(CALLING_ROLES, "assistant")}


@dataclass
class Conversation:
    """``rule`` is that of ``messages``; ``speakers`` is each word for a speaker → turns."""

    rule: dict[str, Any]
    speakers: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    """Words for speakers that nobody knows: whose they are must be said."""
    asked: Any = None
    """A rule that finds what was asked first, for a task's id where lines have none."""
    members: tuple[Member, ...] = ()
    has_parts: bool = False
    """Its turns are Pydantic AI's parts, which say by their kind who speaks."""
    ends_asked: bool = False
    """No turn is the model's: what it said may stand beside."""
    said: dict[str, Any] = field(default_factory=dict)
    """Rules of fields that turns hold a value of: the model's name, and why its last answer ended."""


def conversation_in(members: Sequence[Member]) -> Conversation | None:
    """The conversation of most turns, or that of two lists. None where no line holds one."""
    found = [each for each in (_of_list(member) for member in members) if each is not None]
    if found:
        longest = max(found, key=lambda each: (not each.unknown, each.speakers.total()))
        return _with_answers(longest, found)
    return _of_two_lists(members)


def _with_answers(longest: Conversation, found: Sequence[Conversation]) -> Conversation:
    """The longest one; where what was asked and what the model said stand in two lists, both as one."""
    asked = [each for each in found if each.ends_asked and not each.unknown]
    answers = [each for each in found if each.speakers and all(map(_is_models, each.speakers))]
    if not asked or not answers or not (longest is asked[0] or longest is answers[0]):
        return longest
    whole, answer = asked[0], answers[0]
    whole.rule["append"] = [answer.rule["path"]]
    whole.speakers += answer.speakers
    whole.members += answer.members
    whole.said = answer.said | whole.said
    whole.ends_asked = False
    return whole


def _of_list(member: Member) -> Conversation | None:
    lists = [_unpacked(value) for value in member.there]
    if not lists or not all(isinstance(turns, list) for turns in lists):
        return None
    is_text = any(isinstance(value, str) for value in member.there)
    found = _of_lists(lists, member.path, member.expression(), is_text=is_text)
    if found is not None:
        found.members = (member,)
    return found


def _of_lists(
    lists: list[list[Any]], path: str, expression: str, *, is_text: bool = False
) -> Conversation | None:
    """The conversation that lists at ``path`` hold, themselves or in the last of their steps."""
    if not 0 < len(lists) <= sum(map(len, lists)):
        return None
    for seen in ways_to_turns(lists):
        turns = seen.turns[:_MOST_TURNS]
        shape = _shape(turns)
        if shape is None or (is_text and seen.path):
            continue
        rule = {"path": f"{expression}{seen.path}" if seen.path else path, **shape.rule}
        if seen.system is not None:
            rule["system"] = f"{expression}[0].{seen.system}"
        shape.rule = rule
        shape.ends_asked = not any(map(_is_models, shape.speakers))
        shape.asked = _first_question(shape, path, f"{expression}{seen.path or '[]'}", is_text=is_text)
        said = _said(shape, lists, seen, "" if is_text else expression)
        shape.said = {
            name: {"path": path, "json": True, "get": get} if is_text else get for name, get in said.items()
        }
        return shape
    for steps in () if is_text else last_steps(lists):
        last = f"{expression}[-1].{steps.name}"
        inner = _of_lists(steps.lists, last, last)
        if inner is not None:
            if steps.answer is not None:
                inner.rule["append"] = [f"{expression}[-1].{steps.answer}"]
                inner.ends_asked = False
            every_step = [step for each in lists for step in each]
            inner.said = said_in(every_step, f"{expression}[]", None, ()) | inner.said
            return inner
    return None


def _said(shape: Conversation, lists: list[list[Any]], seen: Seen, expression: str) -> dict[str, str]:
    """What the turns say of the model; else the messages around them, as Pydantic AI writes it."""
    role = None if shape.has_parts else shape.rule.get("role", "role")
    models = [word for word in shape.speakers if word not in shape.unknown and _is_models(word)]
    said = said_in(seen.turns, f"{expression}{seen.path or '[]'}", role, models)
    if not seen.path:
        return said
    around = [turn for each in lists for turn in each]
    return said_in(around, f"{expression}[]", "kind", ("response",)) | said


def _is_models(word: str) -> bool:
    return _KNOWN.get(word) == "assistant"


def _first_question(shape: Conversation, path: str, turns: str, *, is_text: bool) -> Any:
    role, content = shape.rule.get("role", "role"), shape.rule.get("content", "content")
    if shape.has_parts:
        role, asking = "part_kind", "user-prompt"
    else:
        asking = next((word for word in shape.speakers if _KNOWN.get(word) == "user"), "user")
    if not _is_plain(asking):
        return None
    of_user = f"[?{role} == '{asking}'].{content} | [0]"
    if is_text:
        return {"path": path, "json": True, "get": of_user}
    # A projection is ended before it is filtered.
    return f"{turns} | {of_user}" if turns != f"{path}[]" else f"{turns.removesuffix('[]')}{of_user}"


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _shape(turns: Sequence[dict[str, Any]]) -> Conversation | None:
    """Which members of turns are the speaker and the text, by the words that they hold."""
    if all("part_kind" in turn and is_known_item(turn) for turn in turns):
        return Conversation(
            {}, Counter(_KINDS.get(turn["part_kind"], "assistant") for turn in turns), has_parts=True
        )
    for speaker in words.SPEAKER:
        # Items that say by their type what they are have no speaker.
        items = sum(speaker == "role" and "role" not in turn and is_known_item(turn) for turn in turns)
        said = [turn.get(speaker) for turn in turns]
        spoken = Counter(word for word in said if isinstance(word, str))
        known = sum(count for word, count in spoken.items() if word in _KNOWN)
        if not spoken or spoken.total() + items < len(turns) or len(spoken) > _MOST_SPEAKERS:
            continue
        if 2 * (known + items) < len(turns) and not _names_its_users(speaker, spoken):
            continue
        content = next(
            (name for name in words.CONTENT if name != speaker and any(_has_text(t, name) for t in turns)),
            None,
        )
        if content is None and not any("parts" in turn or "tool_calls" in turn for turn in turns):
            continue
        rule: dict[str, Any] = {}
        if speaker != "role":
            rule["role"] = speaker
        if content not in (None, "content"):
            rule["content"] = content
        own = {
            word: words.SPEAKERS[word]
            for word in spoken
            if word not in USUAL_ROLES and word in words.SPEAKERS
        }
        if own:
            rule["roles"] = own
        return Conversation(rule, spoken, [word for word in spoken if word not in _KNOWN])
    return None


def _names_its_users(speaker: str, spoken: Counter[str]) -> bool:
    """Whether a member that names who speaks has the user's word among a few others, names of agents say."""
    is_name = speaker in ("source", "sender", "author", "speaker", "from")
    return is_name and len(spoken) <= _FEW_SPEAKERS and any(_KNOWN.get(word) == "user" for word in spoken)


def _has_text(turn: dict[str, Any], name: str) -> bool:
    return isinstance(turn.get(name), (str, list)) and bool(turn[name])


def _is_plain(word: str) -> bool:
    return word.isascii() and word.isprintable() and not set(word) & set("'\\`")


def _of_two_lists(members: Sequence[Member]) -> Conversation | None:
    lists = [member for member in members if _is_list_of_texts(member)]
    for one, other in permutations(lists, 2):
        if not _are_alike(one, other):
            continue
        spoken = Counter(word for each in one.there for word in each)
        if spoken and all(word in _KNOWN for word in spoken):
            rule: dict[str, Any] = {"path": {"zip": {"role": one.path, "content": other.path}}}
            own = {word: words.SPEAKERS[word] for word in spoken if word not in USUAL_ROLES}
            return Conversation(rule | ({"roles": own} if own else {}), spoken, [], other.path, (one, other))
        is_asked = _singular(one) in words.INSTRUCTION and _singular(other) in words.RESPONSE
        if is_asked and any(len(each) > 1 for each in one.there):
            pairs = "[].[{role: 'user', content: q}, {role: 'assistant', content: a}][]"
            rule = {"path": {"zip": {"q": one.path, "a": other.path}, "get": pairs}}
            turns = sum(len(each) for each in one.there)
            spoken = Counter({one.name: turns, other.name: turns})
            return Conversation(rule, spoken, [], one.path, (one, other))
    return None


def conversation_of_file(
    values: Sequence[dict[str, Any]], of_line: Conversation | None, *, is_document: bool
) -> Conversation | None:
    """How the lines of a file are together one conversation. ``of_line`` is what each holds by itself."""
    if of_line is not None and of_line.has_parts and of_line.rule["path"] == "parts":
        # Each line is a message of Pydantic AI; the instructions stand beside its parts.
        if any(isinstance(value.get("instructions"), str) for value in values):
            of_line.rule["system"] = "instructions"
        of_line.said = said_in(values, "_lines[]", "kind", ("response",))
        return of_line
    items = any(is_known_item(value) for value in values)
    if not values or not (is_document or items):
        return None
    found = _of_lists([list(values)], "_lines", "_lines")
    is_steps = found is not None and found.rule["path"] != "_lines"
    return found if is_steps or (items and of_line is None) else None


def _is_list_of_texts(member: Member) -> bool:
    return member.is_of(list) and all(isinstance(item, str) for each in member.there for item in each)


def _are_alike(one: Member, other: Member) -> bool:
    pairs = [(a, b) for a, b in zip(one.values, other.values, strict=True) if a is not None or b is not None]
    return all(a is not None and b is not None and len(a) == len(b) for a, b in pairs)


def _singular(member: Member) -> str:
    return {"queries": "query", "replies": "reply"}.get(member.name, member.name.removesuffix("s"))


def turn_of_line(members: Sequence[Member]) -> Conversation | None:
    """How each line is one turn: its speaker and text are members of the line, or of one object in it."""
    for speaker in members:
        if speaker.steps[-1] not in words.SPEAKER or not speaker.is_of(str) or len(speaker.steps) > 2:
            continue
        spoken = Counter(speaker.there)
        users = {_KNOWN.get(word) for word in spoken}
        known = sum(count for word, count in spoken.items() if word in _KNOWN)
        if len(spoken) < 2 or not {"user", "assistant"} <= users or 2 * known < len(speaker.values):
            continue
        beside = [each for each in members if each.steps[:-1] == speaker.steps[:-1] and each is not speaker]
        text = next((each for name in words.CONTENT for each in beside if each.steps[-1] == name), None)
        if text is None or not text.is_of(str, list):
            continue
        rule: dict[str, Any] = {"path": f"[{speaker.expression(up=1) or '@'}]"}
        if speaker.steps[-1] != "role":
            rule["role"] = speaker.steps[-1]
        if text.steps[-1] != "content":
            rule["content"] = text.steps[-1]
        own = {
            word: words.SPEAKERS[word]
            for word in spoken
            if word not in USUAL_ROLES and word in words.SPEAKERS
        }
        if own:
            rule["roles"] = own
        unknown = [word for word in spoken if word not in _KNOWN]
        return Conversation(rule, spoken, unknown, None, (speaker, text))
    return None


def said_by_lines(turn: Conversation, values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What lines that are one turn each say of the model, in the turn or beside it."""
    speaker = turn.members[0]
    turns: list[Any] = list(values)
    for name in speaker.steps[:-1]:
        turns = [inner.get(name) for inner in turns if isinstance(inner, dict)]
    wrapped = speaker.expression(up=1)
    models = [word for word in turn.speakers if _is_models(word)]
    said = said_in(turns, f"_lines[].{wrapped}" if wrapped else "_lines[]", speaker.steps[-1], models)
    return said_in(values, "_lines[]", None, ()) | said if wrapped else said
