"""What was said in an exported row, turn by turn: speaker, text, calls with their arguments; and the tools.

Exports keep calls and tools as JSON text, and every member of every turn, so that all rows have one shape.
Here a turn shows what it holds, and nothing of what it does not. A row of another shape (of version 1, of
evidence) is none of these, and is laid out as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from console.presentation.counts import count
from console.presentation.row_values import named_lines, parsed, text_lines, value_lines
from console.presentation.spans import Line, Role, Span, line
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

Turn = Mapping[str, Any]

LISTS = ("messages", "prompt", "chosen", "rejected")
# The texts of an SFT row that its turns hold, too.
VIEWS = ("context", "instruction", "response")
_TEXTS = ("role", "content", "tool_calls", "tool_call_id", "name", "reasoning")
_SHOWN = frozenset((*_TEXTS, "weight"))
_SPEAKERS: dict[str, Role] = {"system": "dim", "user": "strong", "assistant": "title", "tool": "accent"}
_ROLE = 11
_LABEL = 9


def is_turns(value: object) -> TypeGuard[list[dict[str, Any]]]:
    """Whether these are turns of the exports' version 2: every text is there, calls are a text."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(turn, dict) and all(isinstance(turn.get(name), str) for name in _TEXTS)
            for turn in value
        )
    )


def turn_lines(turns: Sequence[Turn], indent: int, width: int, *, unfolded: bool) -> Iterator[Line]:
    for number, turn in enumerate(turns, start=1):
        yield from _turn(number, turn, indent, width, unfolded=unfolded)


def _turn(number: int, turn: Turn, indent: int, width: int, *, unfolded: bool) -> Iterator[Line]:
    """The text beside the speaker; above it what was thought, below it what was called."""
    said = visible(turn["role"], _ROLE)
    used = indent + 5 + _ROLE
    facts = [word for word in (turn["name"], turn["tool_call_id"]) if word]
    if (weight := turn.get("weight", 1)) not in (1, "1.0"):
        facts.append(f"weight {weight}")
    head = line(
        " " * indent, Span(f"{number:>3}  ", "dim"), Span(f"{said:<{_ROLE}}", _SPEAKERS.get(said, "warn"))
    )
    rows: list[Line] = []
    if facts:
        rows.append(line(" " * used, Span(visible(" · ".join(facts), 200), "dim")))
    if turn["reasoning"]:
        rows += _labelled("thought", turn["reasoning"], used, width, unfolded=unfolded)
    if turn["content"]:
        rows += text_lines(turn["content"], used, "text", width, unfolded=unfolded)
    if turn["tool_calls"]:
        rows += _calls(turn["tool_calls"], used, width, unfolded=unfolded)
    first, *rest = rows or [line(" " * used, Span("(empty)", "dim"))]
    yield line(*head, *first[1:])
    yield from rest
    for name, member in turn.items():
        if name not in _SHOWN:
            shown = Span(f"{visible(name, 60)}  ", "dim")
            yield from named_lines(shown, member, used, width, 0, unfolded=unfolded)


def _labelled(label: str, text: str, indent: int, width: int, *, unfolded: bool) -> list[Line]:
    first, *rest = text_lines(text, indent + _LABEL, "dim", width, unfolded=unfolded)
    return [line(" " * indent, Span(f"{label:<{_LABEL}}", "dim"), *first[1:]), *rest]


def _calls(text: str, indent: int, width: int, *, unfolded: bool) -> Iterator[Line]:
    """Each call by name and id, its arguments member by member. What is no list of calls is a text."""
    calls = _read(text)
    if not isinstance(calls, list) or not calls or not all(map(_is_call, calls)):
        yield from _labelled("? calls", text, indent, width, unfolded=unfolded)
        return
    for call in calls:
        yield line(
            " " * indent,
            Span(f"{'calls':<{_LABEL}}", "dim"),
            Span(visible(call["name"], 80), "accent"),
            Span(visible(f"  {call['id']}", 80) if call["id"] else "", "dim"),
        )
        arguments = _read(call["arguments"])
        if isinstance(arguments, dict):
            yield from value_lines(arguments, indent + _LABEL, width, 0, unfolded=unfolded)
        elif call["arguments"]:
            yield from text_lines(call["arguments"], indent + _LABEL, "text", width, unfolded=unfolded)


def _is_call(call: object) -> TypeGuard[dict[str, str]]:
    return (
        isinstance(call, dict)
        and call.keys() == {"id", "name", "arguments"}
        and all(isinstance(value, str) for value in call.values())
    )


def tools_in(text: str) -> list[tuple[str, Any]]:
    """The tools that the model was offered, by name; empty for what is no list of tools."""
    tools = _read(text)
    named = [(_name_of(tool), tool) for tool in tools] if isinstance(tools, list) else []
    return named if all(name for name, _ in named) else []


def tool_lines(
    tools: Sequence[tuple[str, Any]], indent: int, width: int, *, unfolded: bool
) -> Iterator[Line]:
    """One a name, with the names of its arguments; unfolded with all of its definition."""
    for number, (name, tool) in enumerate(tools, start=1):
        head = line(" " * indent, Span(f"{number:>3}  ", "dim"), Span(visible(name, 80), "accent"))
        if unfolded:
            yield head
            yield from value_lines(tool, indent + 5, width, 0, unfolded=True)
        else:
            yield line(*head, Span(visible(f"  {_takes(tool)}", 200), "dim"))


def _function(tool: Any) -> Any:
    return tool.get("function", tool) if isinstance(tool, dict) else None


def _name_of(tool: Any) -> str:
    function = _function(tool)
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _takes(tool: Any) -> str:
    """The names of a tool's arguments."""
    parameters = _function(tool).get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return ", ".join(map(str, properties)) if isinstance(properties, dict) else ""


def view_words(row: Mapping[str, Any], name: str) -> str | None:
    """``as turn 2`` for a text of the row that stands in its turns as it is; None where it does not."""
    text = row.get(name)
    if name not in VIEWS or not isinstance(text, str) or not text or not is_turns(row.get("messages")):
        return None
    speaker = {"context": "system", "instruction": "user", "response": "assistant"}[name]
    places = [
        place
        for place, turn in enumerate(row["messages"], start=1)
        if turn["role"] == speaker and turn["content"] == text
    ]
    if not places:
        return None
    return f"as turn {count(places[-1] if name == 'response' else places[0])}"


def turns_words(turns: Sequence[Turn]) -> str:
    return plural(len(turns), "turn")


def _read(text: str) -> Any:
    """The value of a JSON text; None for what is none and what repeats a key: that is shown as it is."""
    repeated: list[str] = []
    try:
        value = parsed(text, repeated)
    except (ValueError, RecursionError):
        return None
    return None if repeated else value
