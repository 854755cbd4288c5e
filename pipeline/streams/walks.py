"""The way through sessions whose lines name the line before them.

``claude_code``: each line has a ``uuid`` and names the line before it as ``parentUuid``.

* One turn of the model is written as several lines, a block of its content each, that share
  ``message.id``: they are joined to one line.
* A session branches where the user went back, and where several tools ran at once. The way is the
  one that leads to the last line; results of calls that stand on it belong to it, too.
* A line that names none before it begins a conversation, except behind a ``compact_boundary``,
  where ``logicalParentUuid`` or the line logged before it goes on. A name that no line has (a
  filter took it, a log was cut) goes on with the line logged before.
* A session none of whose lines has a name is taken as it was logged.
* Lines with ``isSidechain`` are what sub-agents did: each chain by itself, beside the main way.
* After a compaction the model had a summary before it and not the turns that it sums up. So the
  way is cut there into segments, each what the model had; the last one is the session's.

``codex``: the lines of a session as they were logged. A ``compacted`` line with a
``replacement_history`` says what the model had from there on: its items stand in place of the
``response_item`` lines before it. Each piece is a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Line = dict[str, Any]


class Arranged(NamedTuple):
    """A group's lines in order: its last segment, all segments, the side chains."""

    lines: list[Line]
    segments: list[list[Line]]
    sidechains: list[list[Line]]


Walk = Callable[[list[Line]], Arranged]
"""The lines of a group in the order of the log, arranged."""


def as_logged(lines: list[Line]) -> Arranged:
    return Arranged(lines, [lines], [])


def claude_code(lines: list[Line]) -> Arranged:
    if not any(_text(line, "uuid") for line in lines):
        return as_logged(lines)
    main: list[Line] = []
    chains: dict[str, list[Line]] = {}
    chain_of: dict[str, str] = {}
    for line in lines:
        name = _text(line, "uuid")
        if name is None:
            continue
        if line.get("isSidechain") is not True:
            main.append(line)
            continue
        # Of one sub-agent: by its own id where the log has it, else by the line that it began with.
        agent = _text(line, "agentId")
        chain = agent if agent is not None else chain_of.get(_text(line, "parentUuid") or "", name)
        chain_of[name] = chain
        chains.setdefault(chain, []).append(line)
    segments = _segments(_way(_nodes(main)))
    return Arranged(segments[-1], segments, [_way(_nodes(chain)) for chain in chains.values()])


def codex(lines: list[Line]) -> Arranged:
    segments: list[list[Line]] = []
    now: list[Line] = []
    for line in lines:
        payload = line.get("payload")
        history = payload.get("replacement_history") if type(payload) is dict else None
        if line.get("type") == "compacted" and type(history) is list:
            segments.append(now)
            now = [each for each in now if each.get("type") != "response_item"]
            now += [{**line, "type": "response_item", "payload": item} for item in history]
        now.append(line)
    return Arranged(now, [*segments, now], [])


@dataclass
class _Node:
    """One turn: a line, or the lines of one message joined. ``place`` is where it was logged."""

    line: Line
    names: list[str]
    parent: str | None
    place: int


def _nodes(lines: list[Line]) -> list[_Node]:
    nodes: list[_Node] = []
    of_message: dict[str, _Node] = {}
    for line in lines:
        name = _text(line, "uuid") or ""
        message = line.get("message")
        message_id = (
            _text(message, "id") if type(message) is dict and line.get("type") == "assistant" else None
        )
        known = None if message_id is None else of_message.get(message_id)
        if known is not None:
            known.line = _joined(known.line, line)
            known.names.append(name)
            continue
        parent = _text(line, "parentUuid") or _text(line, "logicalParentUuid")
        node = _Node(line, [name], parent, len(nodes))
        nodes.append(node)
        if message_id is not None:
            of_message[message_id] = node
    return nodes


def _joined(first: Line, other: Line) -> Line:
    """One message of two lines: the contents one behind the other, the rest as the later line has it."""
    one, two = first["message"], other["message"]
    return {**first, "message": {**one, **two, "content": [*_parts(one), *_parts(two)]}}


def _parts(message: Line) -> list[Any]:
    content = message.get("content")
    if type(content) is list:
        return content
    return [] if content is None or content == "" else [content]


def _way(nodes: list[_Node]) -> list[Line]:
    """From the last turn back to the first, and the results of all calls on that way."""
    if not nodes:
        return []
    by_name = {name: node for node in nodes for name in node.names}
    path: list[_Node] = []
    taken: set[int] = set()
    node: _Node | None = nodes[-1]
    while node is not None and node.place not in taken:
        taken.add(node.place)
        path.append(node)
        node = _before(node, nodes, by_name)
    path.reverse()
    answers: dict[str, list[_Node]] = {}
    for other in nodes:
        if other.place not in taken:
            for call in _ids(other.line, "tool_result", "tool_use_id"):
                answers.setdefault(call, []).append(other)
    way: list[Line] = []
    for node in path:
        way.append(node.line)
        for call in _ids(node.line, "tool_use", "id"):
            for answer in answers.pop(call, ()):
                if answer.place not in taken:
                    taken.add(answer.place)
                    way.append(answer.line)
    return way


def _before(node: _Node, nodes: list[_Node], by_name: Mapping[str, _Node]) -> _Node | None:
    if node.parent is None and not _is_after_compaction(node.line):
        return None
    known = by_name.get(node.parent or "")
    if known is not None and known is not node:
        return known
    return nodes[node.place - 1] if node.place else None


def _segments(way: list[Line]) -> list[list[Line]]:
    segments: list[list[Line]] = [[]]
    for line in way:
        if _is_after_compaction(line) and any(not _is_after_compaction(other) for other in segments[-1]):
            segments.append([])
        segments[-1].append(line)
    return segments


def _is_after_compaction(line: Line) -> bool:
    return line.get("isCompactSummary") is True or line.get("subtype") == "compact_boundary"


def _ids(line: Line, kind: str, name: str) -> list[str]:
    message = line.get("message")
    content = message.get("content") if type(message) is dict else None
    parts = content if type(content) is list else []
    found = [part.get(name) for part in parts if type(part) is dict and part.get("type") == kind]
    return [each for each in found if type(each) is str]


def _text(holder: Any, name: str) -> str | None:
    value = holder.get(name)
    return value if type(value) is str and value else None


WALKS: Mapping[str, Walk] = {"claude_code": claude_code, "codex": codex}
