"""What turns of a conversation hold and no rule reads, and what of them is kept without a rule.

A conversation's rule names a list; what is read of its turns is the reader's own knowledge, so
that only a look at each turn can say what falls by the wayside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.settings.rules import MessagesRule, Rule
from pipeline.settings.syntax import plain_steps
from pipeline.streams.blocks import MEMBERS_READ as MEMBERS_OF_PARTS
from pipeline.streams.conditions import compile_condition
from pipeline.streams.inner_json import unpacked
from pipeline.streams.items import MEMBERS_READ as MEMBERS_OF_ITEMS
from pipeline.streams.items import is_known_item
from pipeline.streams.messages import (
    CALL_IDS,
    FINISH_REASONS,
    PARTS,
    USUAL_REASONING,
    USUAL_WEIGHT,
    error_text,
)
from pipeline.streams.path_tree import PathTree, plain_paths
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.rules import Lookups, compile_rule
from pipeline.streams.tool_calls import MEMBERS_READ
from pipeline.streams.turns import USUAL_ROLES
from pipeline.streams.walk import paths_in

# ``type`` and ``id`` tell which turns are one answer.
_ALWAYS = ("name", "tool_name", "type", "id", *CALL_IDS, *FINISH_REASONS)
_ITEM_TREE = PathTree((*MEMBERS_OF_ITEMS, "name"))
# What a turn may say that goes into evidence though nobody named it → the field.
_UNASKED = {
    **dict.fromkeys(USUAL_REASONING, "reasoning"),
    USUAL_WEIGHT: "weight",
    **dict.fromkeys(FINISH_REASONS, "finish_reason"),
}

TurnMembers = Callable[[dict[str, Any]], Iterator[tuple[str, str | None]]]
"""One line to (``messages[].refusal``, None), or (``messages[].weight``, ``weight``) for what is kept."""


def compile_turn_members(rule: MessagesRule, paths: Iterable[str], lookups: Lookups) -> TurnMembers:
    """``paths`` are those of all rules of the stream: what they read of a turn is read."""
    holds = None if rule.when is None else compile_condition(rule.when)
    paths = tuple(paths)

    def asked(source: Rule) -> tuple[str, Getter, PathTree]:
        path = next(paths_in(source), "messages")
        return path, compile_rule(source, lookups), _tree_of(rule, path, paths)

    sources = [asked(source) for source in rule.path]
    further = [asked(source) for source in rule.append]

    def members(line: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
        if holds is not None and not holds(line):
            return
        first = next((source for source in sources if source[1](line) is not None), None)
        if first is None:
            return
        for path, get, tree in (first, *further):
            turns = unpacked(get(line))
            # An expression that is a projection says so itself.
            label = f"{path}[]" if type(turns) is list and plain_steps(path) is not None else path
            for turn in turns if type(turns) is list else (turns,):
                if type(turn) is dict:
                    yield from ((f"{label}.{name}", field) for name, field in _of_turn(rule, turn, tree))

    return members


def _tree_of(rule: MessagesRule, conversation: str, paths: Iterable[str]) -> PathTree:
    calls = [f"tool_calls[0].{name}" for name in MEMBERS_READ if name != "function"]
    inside = [
        f"{call}.{name}" for call in ("tool_calls[0].function", "function_call") for name in MEMBERS_READ
    ]
    named = (*(rule.reasoning or ()), *((rule.weight,) if rule.weight is not None else ()))
    parts = (PARTS,) if rule.content == "content" else ()
    return PathTree(
        [
            *parts,
            rule.role,
            rule.content,
            *named,
            *_ALWAYS,
            *calls,
            *inside,
            *_into_turns(conversation, paths),
        ]
    )


def _into_turns(conversation: str, paths: Iterable[str]) -> Iterator[str]:
    """What ``paths`` ask of a turn of the conversation, as paths of the turn."""
    start = plain_steps(conversation)
    for path in paths:
        for steps in plain_paths(path):
            if start is not None and steps[: len(start)] == start and len(steps) > len(start):
                inner = steps[len(start) :]
                # Of a list of turns, one item; a turn alone has no index.
                yield _written(inner[1:] if isinstance(inner[0], int) else inner)
            elif plain_steps(path) is None and conversation in path:
                # Inside of JMESPath the names of a turn stand by themselves.
                yield _written(steps)


def _written(steps: tuple[str | int, ...]) -> str:
    return ".".join(f'"{step}"' for step in steps if isinstance(step, str))


def _of_turn(rule: MessagesRule, turn: dict[str, Any], tree: PathTree) -> Iterator[tuple[str, str | None]]:
    said = {name: value for name, value in turn.items() if value is not None}
    unasked = [
        name
        for name, field in _UNASKED.items()
        if name in said and getattr(rule, field, None) is None and _is_kept(field, said[name])
    ]
    for name in unasked:
        yield name, _UNASKED[name]
    yield from ((name, None) for name in _of_parts(compile_path(rule.content)(turn)))
    speaker, content = compile_path(rule.role)(turn), compile_path(rule.content)(turn)
    if {**USUAL_ROLES, **rule.roles}.get(str(speaker)) == "tool" and not content and error_text(turn):
        # What a tool's failure says is its text, then.
        said["error"] = {**said["error"], "message": None} if type(said["error"]) is dict else None
        said = {name: value for name, value in said.items() if value not in (None, {"message": None})}
    is_item = speaker is None and is_known_item(turn)
    for name in (_ITEM_TREE if is_item else tree).unread(said):
        if name not in unasked:
            yield name, None


def _of_parts(content: Any) -> Iterator[str]:
    """What the typed parts of a content say and nobody reads, such as ``content[].is_error``."""
    parts = content if type(content) is list else ()
    unread = {
        name
        for part in parts
        if type(part) is dict and "type" in part
        for name, value in part.items()
        if value is not None and name not in MEMBERS_OF_PARTS
    }
    yield from (f"content[].{name}" for name in sorted(unread))


def _is_kept(field: str, value: Any) -> bool:
    match field:
        case "weight":
            return isinstance(value, int | float) and value >= 0
        case "reasoning":
            return type(value) in (str, list) and bool(value)
        case _:
            return type(value) is str
