"""A stream's rules as its section of ``distill.toml`` declares them, laid over its preset."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.nearest import nearest_of
from pipeline.contracts.untrusted import visible
from pipeline.settings.model import StreamSettings
from pipeline.settings.presets import PRESETS
from pipeline.settings.rules import Group, Rule, StreamRules

# What logs call a session's id. A task that is a session, told one turn a line, is no task of many attempts.
_SESSIONS = frozenset(
    ("sessionId", "session_id", "conversationId", "conversation_id", "threadId", "thread_id")
)
_ONE_TURN = re.compile(r"\[[^\[\],]+\]")


def rules_of(stream: StreamSettings) -> StreamRules:
    """Raises SettingsError that names the stream, the key and what is wrong with it."""
    rules = _declared(stream)
    session = _implied_session(stream, rules)
    return rules if session is None else rules.model_copy(update={"group": Group(by=Rule(path=session))})


def implied_session(stream: StreamSettings) -> str | None:
    """The path by which lines are joined where nobody says so: the task is a session, a line one turn of it.

    ``unit = "line"``, written out, says that each line is an attempt all the same.
    """
    return _implied_session(stream, _declared(stream))


def _declared(stream: StreamSettings) -> StreamRules:
    rules = _over_preset(stream, _validated(stream))
    if rules.unit == "line" and rules.group is not None and rules.group.by is None:
        raise unusable(stream, "group", 'needs by, unless unit = "file".')
    return rules


def _implied_session(stream: StreamSettings, rules: StreamRules) -> str | None:
    task, messages = rules.fields.task_id, rules.fields.messages
    if rules.group is not None or rules.parts is not None or task is None or messages is None:
        return None
    is_open = rules.unit == "line" and "unit" not in stream.model_fields_set
    is_one_turn = [bool(_ONE_TURN.fullmatch(rule.path or "")) for rule in messages.path] == [True]
    is_session = task.path in _SESSIONS and task == Rule(path=task.path)
    return task.path if is_open and is_one_turn and is_session else None


def _over_preset(stream: StreamSettings, rules: StreamRules) -> StreamRules:
    if stream.preset is None:
        return rules
    base = PRESETS.get(stream.preset)
    if base is None:
        hint = nearest_of(stream.preset, PRESETS)
        raise unusable(stream, "preset", f'there is no preset "{stream.preset}". {hint}')
    return StreamRules(
        fields=rules.fields.over(base.fields),
        parts=base.parts if rules.parts is None else rules.parts,
        where=(*base.where, *rules.where),
        unit=rules.unit if "unit" in rules.model_fields_set else base.unit,
        group=_group(rules, base),
    )


def _group(rules: StreamRules, base: StreamRules) -> Group | None:
    """The stream's own group, with what it leaves open taken from the preset's."""
    if rules.group is None or base.group is None:
        return rules.group or base.group
    own = {name: getattr(rules.group, name) for name in rules.group.model_fields_set}
    if "order" in own or "walk" in own:
        own = {"order": None, "walk": None, **own}
    return base.group.model_copy(update=own)


def _validated(stream: StreamSettings) -> StreamRules:
    document: dict[str, Any] = {"fields": stream.fields}
    if stream.parts is not None:
        document["parts"] = stream.parts
    if stream.where is not None:
        document["where"] = stream.where
    if stream.group is not None:
        document["group"] = stream.group
    if "unit" in stream.model_fields_set:
        document["unit"] = stream.unit
    try:
        return StreamRules.model_validate(document)
    except ValidationError as error:
        # Settings that were read from a file got their rules checked there, with line and nearest
        # key; these were made by a program.
        first = error.errors(include_url=False)[0]
        raise unusable(stream, ".".join(map(str, first["loc"])), f"{first['msg']}.") from None


def unusable(stream: StreamSettings, key: str, problem: str) -> SettingsError:
    """The error that says what is wrong with ``key`` of ``stream``."""
    return SettingsError.of(
        code="stream_rules_invalid",
        what_happened=visible(f"{paths.SETTINGS}: stream {stream.name}: {key}: {problem}"),
        kept_safe="Nothing was written.",
        do_next=f"Correct it (docs/streams.md), then: distill streams check --stream {stream.name}",
        file=str(paths.SETTINGS),
    )
