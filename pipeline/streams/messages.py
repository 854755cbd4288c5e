"""A conversation, in whatever shape a log keeps it, to the messages of evidence.

A turn is read by its members, never by their number, and an absent member is one that is null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.contracts.skips import SkipReason
from pipeline.settings.rules import MessagesRule
from pipeline.settings.syntax import plain_steps
from pipeline.streams.blocks import (
    Call,
    Piece,
    Result,
    Thought,
    content_text,
    pieces_of,
    text_member,
    thought_text,
)
from pipeline.streams.conditions import compile_condition
from pipeline.streams.inner_json import further_turns, turns_of, unpacked
from pipeline.streams.items import Said, answer_of, calls_of, item_piece, merge
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.rules import Lookups, compile_rule
from pipeline.streams.texts import parsed_exactly
from pipeline.streams.tool_calls import tool_call, tool_calls
from pipeline.streams.turns import CALLING_ROLES, USUAL_ROLES

Message = dict[str, Any]

USUAL_REASONING = ("reasoning_content", "reasoning", "thinking")
"""Members of a turn that are read as what the model thought, unless the rule names others."""
USUAL_WEIGHT = "weight"
PARTS = "parts"
"""Where a turn holds a list of parts instead of a ``content``."""
FINISH_REASONS = ("finish_reason", "stop_reason")
CALL_IDS = ("tool_call_id", "tool_use_id", "call_id")
# What stands beside a reasoning that the provider does not show.
_SIGNS_OF_REASONING = (*USUAL_REASONING, "reasoning_details", "thinking_signature", "thought_signature")


class Conversation(NamedTuple):
    """``finish_reason`` is what the last turn of the assistant says of itself, where it does."""

    messages: list[Message]
    finish_reason: str | None
    reasoning_missing: bool


ConversationGetter = Callable[[dict[str, Any]], Conversation | None]


def compile_messages(
    rule: MessagesRule, lookups: Lookups, *, of_each_line: bool = False
) -> ConversationGetter:
    """One source line to its conversation, or None where it has none. Raises MisfitError.

    With ``of_each_line`` the rule is asked of each line of a group.
    """
    find = compile_turns(rule, lookups)
    if of_each_line:
        find = turns_of_lines(find)
    reader = _TurnReader(rule)
    system = None if rule.system is None else compile_rule(rule.system, lookups)

    def get(line: dict[str, Any]) -> Conversation | None:
        turns = find(line)
        if turns is None:
            return None
        messages: list[Message] = []
        reasoning_missing = False
        answer = None
        whole: dict[str, set[str]] = {}
        for turn in turns:
            of_turn = reader.plain(turn)
            if of_turn is not None:
                messages.append(of_turn)
                answer = None
                continue
            read, missing, answer_of_turn = reader.read(turn)
            reasoning_missing |= missing
            if (
                answer_of_turn is not None
                and answer_of_turn == answer
                and messages
                and messages[-1]["role"] == "assistant"
                and [message["role"] for message in read] == ["assistant"]
            ):
                merge(messages[-1], read[0])
            elif answer_of_turn and calls_of(read) and calls_of(read) <= whole.get(answer_of_turn, set()):
                # A message that is logged with each of its calls is there already.
                continue
            else:
                messages += read
            answer = answer_of_turn
            if answer:
                whole.setdefault(answer, set()).update(calls_of(read))
        prompt = None if system is None else content_text(system(line))
        if prompt and not (messages and messages[0]["role"] == "system" and messages[0]["content"] == prompt):
            messages.insert(0, _message("system", prompt))
        return Conversation(messages, reader.finish_reason(turns), reasoning_missing)

    return get


def compile_turns(rule: MessagesRule, lookups: Lookups) -> Callable[[dict[str, Any]], list[Any] | None]:
    """One source line to the turns as the log has them, or None where it has none. Raises MisfitError."""
    sources = [compile_rule(source, lookups) for source in rule.path]
    further = [compile_rule(source, lookups) for source in rule.append]
    holds = None if rule.when is None else compile_condition(rule.when)

    def find(line: dict[str, Any]) -> list[Any] | None:
        if holds is not None and not holds(line):
            return None
        found = _first(sources, line)
        if found is None:
            return None
        turns = found if type(found) is list else turns_of(found)
        for addition in further:
            more = addition(line)
            if more is not None:
                turns = [*turns, *further_turns(more)]
        return turns

    return find


def turns_of_lines(
    find: Callable[[dict[str, Any]], list[Any] | None],
) -> Callable[[dict[str, Any]], list[Any] | None]:
    """Ask ``find`` of each line of a group, and join what it finds; null turns are left out."""

    def gather(view: dict[str, Any]) -> list[Any] | None:
        found = [find(line) for line in view["_lines"]]
        return [turn for turns in found for turn in turns or () if turn is not None] or None

    return gather


def _first(sources: list[Getter], line: dict[str, Any]) -> Any:
    for source in sources:
        turns = source(line)
        if turns is not None:
            return turns
    return None


class _TurnReader:
    """What a rule makes of one turn."""

    def __init__(self, rule: MessagesRule) -> None:
        self._role, self._content = compile_path(rule.role), compile_path(rule.content)
        # Where OpenTelemetry keeps what a turn says.
        self._parts = compile_path(PARTS) if rule.content == "content" else None
        self._roles = {**USUAL_ROLES, **rule.roles}
        self._two_names = _names_of(rule)
        self._reasoning = None if rule.reasoning is None else [compile_path(path) for path in rule.reasoning]
        self._weight = None if rule.weight is None else compile_path(rule.weight)

    def plain(self, turn: Any) -> Message | None:
        """The message of a turn that is a speaker and a text and nothing else, as most are."""
        if type(turn) is not dict or turn.keys() != self._two_names:
            return None
        speaker, text = self._role(turn), self._content(turn)
        known = self._roles.get(speaker) if type(speaker) is str else None
        if known is None or type(text) is not str:
            return None
        return _message(known, text)

    def read(self, turn: Any) -> tuple[list[Message], bool, str | None]:
        """The messages of a turn, whether it has a reasoning that cannot be read, and its answer.

        They are several where results of tools stand in it as parts, and none where an item only
        says that the model thought. Turns of one answer, next to each other, are one message.
        Raises MisfitError.
        """
        turn = unpacked(turn, "each turn to be an object, or its JSON")
        if type(turn) is not dict:
            raise wrong_type("each turn to be an object", turn)
        speaker = self._role(turn)
        known = self._roles.get(speaker) if type(speaker) is str else None
        if speaker is None and (piece := item_piece(turn)) is not None:
            messages, hidden = (
                _split(piece.role, piece.content) if isinstance(piece, Said) else _of_item(piece)
            )
            weight = self._weight_of(turn)
            for message in messages:
                message["weight"] = weight
            return messages, hidden, answer_of(turn, None)
        return *self._read_turn(turn, known), answer_of(turn, known)

    def _read_turn(self, turn: dict[str, Any], known: str | None) -> tuple[list[Message], bool]:
        speaker, content = self._role(turn), self._content(turn)
        if content is None and self._parts is not None:
            content = self._parts(turn)
        if known is None and speaker in CALLING_ROLES:
            found = _message("assistant", None)
            found["tool_calls"] = _calls_in_content(content)
            found["weight"] = self._weight_of(turn)
            return [found], False
        if known is None:
            raise MisfitError(SkipReason.WRONG_TYPE, "a turn whose role is unknown (roles can name it)")
        if content is None and type(turn.get("audio")) is dict:
            # What OpenAI's models say aloud stands beside the content.
            raise MisfitError(SkipReason.WRONG_TYPE, "a turn holds a content part that is not text: audio")
        messages, missing = _split(known, content)
        if messages[-1]["role"] != known:
            # Nothing but results of tools stood in it.
            return messages, missing
        last = messages[-1]
        calls = tool_calls(turn)
        if calls:
            last["tool_calls"] = [*calls, *(last["tool_calls"] or ())]
        last["tool_call_id"] = text_member(turn, *CALL_IDS) or last["tool_call_id"]
        named = text_member(turn, *(("name", "tool_name") if known == "tool" else ("name",)))
        last["name"] = named if named is not None else last["name"]
        if known == "tool" and not last["content"]:
            last["content"] = error_text(turn) or last["content"]
        thought = self._thought(turn)
        if thought is not None:
            last["reasoning"] = thought
        last["weight"] = self._weight_of(turn)
        if last["reasoning"] is None and not missing:
            missing = any(turn.get(sign) not in (None, "", [], {}) for sign in _SIGNS_OF_REASONING)
        return messages, missing

    def finish_reason(self, turns: list[Any]) -> str | None:
        """What the last turn of the assistant says of its end."""
        for turn in reversed(turns):
            speaker = self._role(turn)
            if type(speaker) is str and self._roles.get(speaker) == "assistant":
                given = (turn.get(name) for name in FINISH_REASONS)
                return next((reason for reason in given if type(reason) is str), None)
        return None

    def _thought(self, turn: dict[str, Any]) -> str | None:
        if self._reasoning is None:
            return next((text for name in USUAL_REASONING if (text := thought_text(turn.get(name)))), None)
        for get in self._reasoning:
            value = get(turn)
            text = thought_text(value)
            if text is not None:
                return text
            if value not in (None, "", []):
                raise wrong_type("a turn's reasoning to be a text", value)
        return None

    def _weight_of(self, turn: dict[str, Any]) -> float | None:
        value = turn.get(USUAL_WEIGHT) if self._weight is None else self._weight(turn)
        if value is None:
            return None
        # Left out, a weight means "learn it": one that cannot be read must not say so, named or not.
        if not isinstance(value, int | float):
            raise wrong_type("a turn's weight to be a number of 0 or more, true or false", value)
        if value < 0:
            raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, "expected a turn's weight to be 0 or more")
        return float(value)


def _names_of(rule: MessagesRule) -> set[str] | None:
    """The two members that a plain turn has; None where a rule looks deeper."""
    paths = [plain_steps(path) for path in (rule.role, rule.content)]
    names = {steps[0] for steps in paths if steps is not None and len(steps) == 1}
    return {str(name) for name in names} if len(names) == 2 else None


def _message(role: str, content: str | None) -> Message:
    return {
        "role": role,
        "content": content,
        "tool_calls": None,
        "tool_call_id": None,
        "name": None,
        "reasoning": None,
        "weight": None,
    }


def _of_item(piece: Piece) -> tuple[list[Message], bool]:
    """The message that an item makes, if any, and whether it is a reasoning that is hidden."""
    match piece:
        case Call():
            message = _message("assistant", None)
            message["tool_calls"] = [tool_call(piece.raw)]
        case Result():
            message = _message("tool", piece.text)
            message["tool_call_id"], message["name"] = piece.call_id, piece.name
        case Thought(None):
            return [], True
        case Thought():
            message = _message("assistant", None)
            message["reasoning"] = piece.text
        case _:
            return [_message("assistant", piece)], False
    return [message], False


def _split(role: str, content: Any) -> tuple[list[Message], bool]:
    """The messages that a turn's content makes, at least one, and whether a reasoning is hidden."""
    if content is None or type(content) is str:
        return [_message(role, content)], False
    if type(content) is not list:
        raise wrong_type("a turn's content to be a text or a list of text parts", content)
    messages: list[Message] = []
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[str] = []
    hidden = False

    def close() -> None:
        if texts or calls or thoughts:
            message = _message(role, "\n".join(texts) if texts else None)
            message["tool_calls"] = list(calls) or None
            message["reasoning"] = "\n".join(thoughts) or None
            messages.append(message)
            texts.clear()
            calls.clear()
            thoughts.clear()

    for piece in pieces_of(content):
        match piece:
            case str():
                texts.append(piece)
            case Call():
                calls.append(tool_call(piece.raw))
            case Thought():
                hidden |= piece.text is None
                if piece.text is not None:
                    thoughts.append(piece.text)
            case Result():
                close()
                result = _message("tool", piece.text)
                result["tool_call_id"], result["name"] = piece.call_id, piece.name
                messages.append(result)
    close()
    if not messages:
        messages.append(_message(role, "" if not hidden else None))
    return messages, hidden


def error_text(turn: dict[str, Any]) -> str | None:
    """What a tool's turn says of its failure, where that stands beside a content that is not there."""
    error = turn.get("error")
    said = error.get("message") if type(error) is dict else error
    return said if type(said) is str else None


def _calls_in_content(content: Any) -> list[dict[str, Any]]:
    """The calls of a turn whose speaker says that it is one: JSON of one, or of a list of them."""
    value = parsed_exactly(content) if type(content) is str else content
    calls = value if type(value) is list else [value]
    if not calls:
        raise MisfitError(SkipReason.WRONG_TYPE, "a turn that is to call a tool calls none")
    return [tool_call(call) for call in calls]


def last_assistant_text(messages: list[Message]) -> str | None:
    """The last text that the assistant wrote; null when it wrote none."""
    for message in reversed(messages):
        if message["role"] == "assistant" and message["content"]:
            return message["content"]  # type: ignore[no-any-return]
    return None


def first_user_text(messages: list[Message]) -> str | None:
    for message in messages:
        if message["role"] == "user":
            return message["content"]  # type: ignore[no-any-return]
    return None


def system_text(messages: list[Message]) -> str | None:
    """The system prompt: the system turns before anybody else speaks."""
    pieces = []
    for message in messages:
        if message["role"] != "system":
            break
        if message["content"]:
            pieces.append(message["content"])
    return "\n\n".join(pieces) if pieces else None
