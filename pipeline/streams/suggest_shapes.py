"""A draft for a log of no known tool, by the shape of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.streams import suggest_toml as toml
from pipeline.streams import suggest_words as words
from pipeline.streams.suggest_beside import add_answer, lines_with_turns, only, rows_inside
from pipeline.streams.suggest_draft import Draft, offered
from pipeline.streams.suggest_fields import (
    add_measures,
    left_over,
    say_what_is_missing,
    text_named,
    text_rule,
)
from pipeline.streams.suggest_ids import (
    about_ids,
    ids_seen,
    is_constant_in,
    order_of,
    session_id,
    task_id,
)
from pipeline.streams.suggest_members import Member, members_of
from pipeline.streams.suggest_outcomes import lines_for, outcomes_in, rule_for
from pipeline.streams.suggest_turns import (
    Conversation,
    conversation_in,
    conversation_of_file,
    said_by_lines,
    turn_of_line,
)

_SPEAKERS_SHOWN = 8
_FEWEST_TASKS = 3
_KEY = "the same in all attempts at a task: is it a reference?"
_HASHED = "no member is an id: the same question is the same task"


def draft_by_shape(
    draft: Draft, members: Sequence[Member], values: Sequence[dict[str, Any]], *, is_document: bool
) -> None:
    """Fill ``draft`` from what the lines hold: a session, attempts, a conversation, or texts.

    ``values`` are the lines, ``is_document`` says that they are the items of one JSON value.
    """
    used: set[str] = set()
    turn = turn_of_line(members)
    whole = conversation_in(members)
    file = None if turn is not None else conversation_of_file(values, whole, is_document=is_document)
    if file is not None:
        _file(draft, file)
        used |= {member.path for member in members if member.steps[0] == file.rule["path"]}
        _finish(draft, members, used, file.said, measures=False)
        return
    if turn is None and whole is None and (told := lines_with_turns(members)) is not None:
        teller, kind, places = told
        draft.where = {"path": teller.path, "equals": kind}
        draft.about["where"] = f"{len(places):,} of {plural(len(teller.values), 'line')} hold a conversation"
        members = only(members, places)
        whole = conversation_in(members)
    if whole is not None:
        add_answer(whole, members)
    says_more = (
        turn is not None or whole is not None or text_named(members, (*words.INSTRUCTION, *words.RESPONSE))
    )
    inner = None if says_more else rows_inside(values)
    if inner is not None:
        path, rows = inner
        draft.parts = {"each": path}
        draft.about["parts"] = f"the file is one object around {plural(len(rows), 'row')}"
        members = members_of(rows, "_part.")
        whole = conversation_in(members)
        if whole is not None:
            add_answer(whole, members)
    items = None if turn is not None or whole is not None or inner is not None else _attempts(members)
    if turn is not None and whole is None:
        _session(draft, members, turn)
        # Else the first line of a session would tell how its last one ended.
        draft.fields |= said_by_lines(turn, values)
        used |= {member.path for member in turn.members}
    elif items is not None:
        _parts(draft, members, items, used)
    else:
        _one_line(draft, members, whole, used)
    _finish(draft, members, used, {} if whole is None else whole.said, measures=True)


def _finish(
    draft: Draft, members: Sequence[Member], used: set[str], said: dict[str, Any], *, measures: bool
) -> None:
    """``said`` are rules for what the turns themselves hold, where no member of the line tells it."""
    if measures:
        add_measures(draft, members)
    for name, rule in said.items():
        draft.fields.setdefault(name, rule)
    say_what_is_missing(draft, members, used)
    candidates = [each for each in outcomes_in(members) if each.path not in used] if measures else []
    if not any("OUTCOME" in line for line in draft.asked):
        draft.asked += lines_for(candidates)
    used |= {str(rule) for rule in draft.fields.values()} | {member.path for member in candidates}
    draft.joins += left_over(members, used)


def _file(draft: Draft, found: Conversation) -> None:
    """The lines of a file are one conversation, by their turns or in the last of their steps."""
    draft.unit = "file"
    draft.about["unit"] = "its items are turns or steps of one run: one file, one attempt"
    draft.fields["task_id"] = "_group"
    draft.about["task_id"] = "the file's name: say what the task is where one task has several files"
    rule = found.rule
    draft.fields["messages"] = rule["path"] if len(rule) == 1 else rule
    draft.about["messages"] = _speakers(found)
    _ask_speakers(draft, found)


def _one_line(draft: Draft, members: Sequence[Member], found: Conversation | None, used: set[str]) -> None:
    asked: Any = None
    texts: dict[str, Any] = {}
    if found is not None:
        used |= {member.path for member in found.members}
        rule = dict(found.rule)
        system = text_named(members, words.CONTEXT, used)
        if system is not None and system.is_of(str) and _is_prose(system) and "system" not in found.speakers:
            rule["system"] = system.path
            used.add(system.path)
        texts["messages"] = rule["path"] if len(rule) == 1 and isinstance(rule["path"], str) else rule
        draft.about["messages"] = _speakers(found)
        asked = found.asked
        _ask_speakers(draft, found)
    else:
        for name, known in (
            ("instruction", words.INSTRUCTION),
            ("response", words.RESPONSE),
            ("context", words.CONTEXT),
        ):
            member = text_named(members, known, used)
            if name == "response" and member is not None and _is_key(member, task_id(members)):
                used.add(member.path)
                draft.asked.append(offered("response", text_rule(member), _KEY))
                member = text_named(members, known, used)
            if member is not None and (name != "context" or _is_prose(member)):
                used.add(member.path)
                texts[name] = text_rule(member)
                asked = member.path if name == "instruction" else asked
    _task(draft, members, asked)
    draft.fields.update(texts)


def _is_key(member: Member, task: Member | None) -> bool:
    """Whether each of several tasks has one and the same answer in all its attempts, as a reference is."""
    if task is None:
        return False
    said: dict[Any, list[Any]] = {}
    for of_task, value in zip(task.values, member.values, strict=True):
        if of_task is not None and value is not None:
            said.setdefault(of_task, []).append(value)
    tried = [values for values in said.values() if len(values) > 1]
    return len(tried) >= _FEWEST_TASKS and all(value == values[0] for values in tried for value in values)


def _is_prose(member: Member) -> bool:
    return any(len(str(value).split()) > 1 for value in member.there)


def _task(draft: Draft, members: Sequence[Member], asked: Any) -> None:
    member = task_id(members)
    hashed = None if asked is None else {"hash": asked}
    if member is not None:
        other: Any = hashed or {"template": "{_file.path}:{_file.line}"}
        draft.fields["task_id"] = member.path if member.is_everywhere else {"first_of": [member.path, other]}
        draft.about["task_id"] = about_ids(member)
    elif hashed is not None:
        draft.fields["task_id"] = hashed
        draft.about["task_id"] = _HASHED
    else:
        draft.fields["task_id"] = {"template": "{_file.path}:{_file.line}"}
        draft.about["task_id"] = "no member is an id: each line is a task with one attempt"
    others = [
        seen_id
        for seen_id in ids_seen(members)
        if member is None or not seen_id.startswith(f"{member.path} (")
    ]
    if others:
        draft.notes.append(f"other ids: {', '.join(others[:6])}")


def _speakers(found: Conversation) -> str:
    said = [f"{word} {turns:,}" for word, turns in found.speakers.most_common(_SPEAKERS_SHOWN)]
    return f"turns: {', '.join(said)}"


def _ask_speakers(draft: Draft, found: Conversation) -> None:
    if found.unknown:
        who = ", ".join(toml.short(word) for word in found.unknown[:_SPEAKERS_SHOWN])
        draft.asked.append(
            toml.comment(f"SPEAKERS: asked. Who is {who}? Put user, assistant, system or tool for each ?.")
        )
        roles = {**found.rule.get("roles", {}), **dict.fromkeys(found.unknown, "?")}
        draft.asked.append(offered("messages", {**found.rule, "roles": roles}, "instead of the line above"))


def _session(draft: Draft, members: Sequence[Member], turn: Conversation) -> None:
    """Each line is one turn: lines are joined by what they share, or by their file."""
    speaks = turn.members[0].values
    beside = [member for member in members if member not in turn.members]
    session = session_id(beside, lambda number: speaks[number] is not None)
    if session is None:
        draft.unit = "file"
        draft.about["unit"] = "each line is one turn and no member joins them: one file, one attempt"
        draft.fields["task_id"] = "_group"
        draft.about["task_id"] = "the file's name"
    else:
        draft.group = {"by": session.path}
        draft.about["group"] = f"each line is one turn, of {plural(len(set(session.there)), 'session')}"
        order = order_of(beside, session)
        if order is not None:
            draft.group["order"] = order.path
        tasks = [
            each for each in beside if each is not session and each.name in words.TASK and each.name != "id"
        ]
        member = task_id([each for each in tasks if is_constant_in(each, session)])
        draft.fields["task_id"] = session.path if member is None else member.path
        draft.about["task_id"] = (
            "the session: say what the task is where one task has several sessions"
            if member is None
            else f"{plural(len(set(member.there)), 'task')} of {plural(len(set(session.there)), 'session')}"
        )
    rule = turn.rule
    draft.fields["messages"] = rule["path"] if len(rule) == 1 else rule
    draft.about["messages"] = _speakers(turn)
    _ask_speakers(draft, turn)


def _attempts(members: Sequence[Member]) -> tuple[Member, list[Member]] | None:
    """A list of attempts at one task, with the members of its items; of texts, no members."""
    for member in members:
        if not member.is_of(list) or not any(member.there):
            continue
        items = [item for each in member.there for item in each]
        if items and all(isinstance(item, dict) for item in items):
            inner = members_of(items, "_part.")
            is_named = member.name in words.ATTEMPTS
            answer = conversation_in(inner) or text_named(inner, (*words.RESPONSE, *words.CONTENT))
            if answer is not None and (is_named or outcomes_in(inner)):
                return member, inner
        elif _are_texts_of_attempts(member, items):
            return member, []
    return None


def _are_texts_of_attempts(member: Member, items: list[Any]) -> bool:
    are_texts = bool(items) and all(isinstance(item, str) for item in items)
    return are_texts and member.name in words.ATTEMPTS and any(len(each) > 1 for each in member.there)


def _parts(
    draft: Draft, members: Sequence[Member], found: tuple[Member, list[Member]], used: set[str]
) -> None:
    each, inner = found
    counts = sorted(len(items) for items in each.there)
    is_optional = not each.is_everywhere or not counts[0]
    draft.parts = {"each": each.path} | ({"optional": True} if is_optional else {})
    draft.about["parts"] = f"{counts[0]} to {plural(counts[-1], 'attempt')} a line"
    used.add(each.path)
    _one_line(draft, members, None, used)
    whole = conversation_in(inner)
    if not inner:
        draft.fields["response"] = "_part"
        for other in members:
            if other.is_of(list) and other is not each and [len(v) for v in other.there] == _counts(each):
                flat = Member(other.path, other.steps, [item for items in other.there for item in items])
                if flat.is_of(bool) or flat.is_of(int, float):
                    rule = {"path": other.path, "at": "_key"}
                    draft.asked += [*lines_for([flat])[:3], offered(*rule_for(flat, rule))]
        return
    if whole is not None:
        draft.fields["messages"] = whole.rule["path"] if len(whole.rule) == 1 else whole.rule
        draft.about["messages"] = _speakers(whole)
    else:
        answer = text_named(inner, (*words.RESPONSE, *words.CONTENT))
        if answer is not None:
            draft.fields["response"] = text_rule(answer)
    add_measures(draft, inner)
    for name, rule in ({} if whole is None else whole.said).items():
        draft.fields.setdefault(name, rule)
    candidates = outcomes_in(inner)
    if candidates:
        draft.asked += lines_for(candidates)


def _counts(member: Member) -> list[int]:
    return [len(items) for items in member.there]
