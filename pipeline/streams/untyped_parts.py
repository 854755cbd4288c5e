"""Parts of a content that have no ``type`` and say by a member what they are, as parts that have one.

Amazon Bedrock, Gemini and Haystack put a call or a result below a name of its own (``toolUse``,
``functionCall``, ``tool_call``); AutoGen writes bare calls and results; Pydantic AI names the kind
``part_kind``. Each becomes the part that Anthropic's or OpenAI's APIs would have written.
"""

from __future__ import annotations

from typing import Any

from pipeline.streams.texts import written_exactly

Part = dict[str, Any]

_CALLS = ("toolUse", "functionCall", "function_call", "tool_call")
_RESULTS = ("toolResult", "functionResponse", "function_response", "tool_call_result")
_THOUGHTS = ("reasoningContent", "reasoning")
# A picture or a file of Bedrock or Gemini: named as one, so that a skip can say so.
_OTHERS = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "document": "document",
    "inlineData": "blob",
    "inline_data": "blob",
    "fileData": "file",
    "file_data": "file",
    "file": "file",
}
_ANSWERS = ("content", "result", "response", "output")
_IDS = ("toolUseId", "tool_use_id", "tool_call_id", "call_id", "id")
_NAMES = ("name", "tool_name", "toolName")
_KINDS = {"text": "text", "thinking": "thinking", "tool-call": "tool_call", "tool-return": "tool_result"}


def typed(part: Part) -> Part:
    """``part`` with a ``type``, where one of its members tells which; else as it is."""
    if "part_kind" in part:
        return _by_kind(part)
    if type(part.get("text")) is str:
        return {"type": "thinking", "text": part["text"]} if part.get("thought") is True else part
    for name in _CALLS:
        if type(part.get(name)) is dict:
            return {**part[name], "type": "tool_call"}
    for name in _RESULTS:
        if type(part.get(name)) is dict:
            return _result(part[name])
    for name in _THOUGHTS:
        if type(part.get(name)) is dict:
            return _thought(part[name])
    for name, kind in _OTHERS.items():
        if type(part.get(name)) in (dict, str):
            return {"type": kind}
    if type(part.get("name")) is str and "arguments" in part:
        return {**part, "type": "tool_call"}
    if type(part.get("call_id")) is str and "content" in part:
        return _result(part)
    return part


def _by_kind(part: Part) -> Part:
    kind = part["part_kind"]
    if kind == "tool-return" or (kind == "retry-prompt" and part.get("tool_name") is not None):
        return _result(part)
    if kind in ("system-prompt", "user-prompt", "retry-prompt"):
        kind = "text"
    known = _KINDS.get(kind, "") if type(kind) is str else ""
    # What a part is called has a meaning of its own: "id" is that of the provider's item.
    return {**{name: value for name, value in part.items() if name != "id"}, "type": known}


def _result(found: Part) -> Part:
    origin = found["origin"] if type(found.get("origin")) is dict else {}
    answer = next((found[name] for name in _ANSWERS if found.get(name) is not None), None)
    return {
        "type": "tool_result",
        "tool_use_id": _first(found, _IDS) or _first(origin, _IDS),
        "name": _first(found, _NAMES) or _first(origin, _NAMES),
        "content": _content(answer),
    }


def _content(answer: Any) -> Any:
    """A text, a list of text parts, or any other value as its JSON."""
    if answer is None or type(answer) is str:
        return answer
    if type(answer) is list and answer and all(type(each) is dict for each in answer):
        if all(type(each.get("text")) is str for each in answer):
            return answer
        if all("json" in each or type(each.get("text")) is str for each in answer):
            return [
                each if type(each.get("text")) is str else {"text": written_exactly(each["json"])}
                for each in answer
            ]
        if any(name in each for each in answer for name in ("image", "document", "video")):
            return answer
    return written_exactly(answer)


def _thought(found: Part) -> Part:
    inner = found["reasoningText"] if type(found.get("reasoningText")) is dict else found
    text = next((inner[name] for name in ("text", "reasoning_text") if type(inner.get(name)) is str), None)
    return {"type": "redacted_thinking"} if text is None else {"type": "thinking", "text": text}


def _first(holder: Part, names: tuple[str, ...]) -> Any:
    return next((holder[name] for name in names if holder.get(name) is not None), None)
