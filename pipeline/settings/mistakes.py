"""A validation error in an operator's words: which key, which line, which key was meant.

Knows the model and the document; reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.contracts.nearest import nearest
from pipeline.settings.locate import KeyPath, nearest_line
from pipeline.settings.model import Settings, StreamSettings
from pipeline.settings.rules import StreamRules

_MAX_VALUE_CHARACTERS = 60
# pydantic's words are for programmers; these are for whoever edits the file.
_WORDS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "missing": "is required and missing",
    "string_too_short": "must not be empty",
    "too_short": "must not be an empty list",
}
_PATTERN_WORDS: dict[str | int, str] = {
    "name": 'must be lower-case letters, digits, "_", "." and "-", starting with a letter or digit',
    "base_url": "must be an address that starts with http:// or https://",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in the settings. ``line`` is None where the file has no such place."""

    path: KeyPath
    line: int | None
    value: str | None
    problem: str
    hint: str | None = None

    def sentence(self) -> str:
        shown = dotted(self.path)
        if self.value is not None:
            shown = f"{shown} = {self.value}" if shown else self.value
        text = f"{shown}: {self.problem}" if shown else self.problem
        return f"{text}. {self.hint}" if self.hint else f"{text}."


def dotted(path: KeyPath) -> str:
    """``stream[0].path`` for ``("stream", 0, "path")``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def mistakes(
    error: ValidationError, document: Mapping[str, Any], lines: dict[KeyPath, int], below: KeyPath = ()
) -> list[Mistake]:
    """What ``error`` says, in the order of the file's lines.

    ``below`` is where in the document the validated part stands.
    """
    found = [_mistake(detail, below, document, lines) for detail in error.errors(include_url=False)]
    # One wrong item also empties the list around it; the inner complaint is the useful one.
    inner = [m for m in found if not any(_is_around(m.path, other.path) for other in found)]
    return sorted(inner, key=lambda mistake: (mistake.line or 0, dotted(mistake.path)))


def _is_around(outer: KeyPath, other: KeyPath) -> bool:
    return len(other) > len(outer) and other[: len(outer)] == outer


def _mistake(
    detail: ErrorDetails, below: KeyPath, document: Mapping[str, Any], lines: dict[KeyPath, int]
) -> Mistake:
    location = (*below, *detail["loc"])
    kind = detail["type"]
    value, path = _value_at(document, location)
    line = nearest_line(lines, path)
    if kind == "extra_forbidden":
        return Mistake(path, line, _shown(value), "unknown key", nearest_key(location))
    if location[-1] == "[key]":
        return Mistake(path, line, None, "unknown key", "A phase is P0 to P8, or your own from P10 to P999.")
    if kind == "missing":
        return Mistake((*path, location[-1]), line, None, _WORDS[kind])
    return Mistake(path, line, _shown(value), _problem(detail))


def _problem(detail: ErrorDetails) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        return f"must be one of {context.get('expected', '')}".replace("'", '"')
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"must be {words} {context[bound]}"
    if kind == "string_pattern_mismatch":
        return _PATTERN_WORDS.get(detail["loc"][-1], f"must match {context.get('pattern')}")
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _value_at(document: Mapping[str, Any], location: KeyPath) -> tuple[Any, KeyPath]:
    """The value that a validator's ``location`` means, and its path in the document.

    A location also names what is not written: the type that was tried, or the key that a
    shorthand stands for. Those parts are left out.
    """
    value: Any = document
    path: KeyPath = ()
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        path = (*path, part)
    return value, path


def _shown(value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        return None
    text = (
        f'"{value}"'
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[: _MAX_VALUE_CHARACTERS - 1]}…"


def nearest_key(location: KeyPath) -> str:
    """A sentence that names the valid key which the last part of ``location`` most likely meant."""
    unknown = str(location[-1])
    valid = valid_keys(location[:-1])
    close = nearest(unknown, valid)
    if close:
        return f'Nearest valid key: "{close}".'
    elsewhere = [dotted(path) for path in _all_keys(Settings, ()) if path[-1] == unknown]
    if elsewhere:
        return f'"{unknown}" belongs elsewhere: {elsewhere[0]}.'
    return f"Valid keys here: {', '.join(valid)}."


def valid_keys(location: KeyPath) -> list[str]:
    """The keys that the table at ``location`` may hold."""
    annotation: Any = Settings
    for part in location:
        if isinstance(part, int):
            continue
        values = _values_of_table(annotation)
        if values is not None:
            annotation = values
        elif (model := section_of(annotation)) is not None:
            # What is no field names the type that was tried, and leads nowhere.
            annotation = _fields(model).get(part, annotation)
    model = section_of(annotation)
    return list(_fields(model)) if model else []


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Key as written in the file → its type. A stream's rules have a model of their own."""
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    if model is StreamSettings:
        fields |= _fields(StreamRules)
    return fields


def _values_of_table(annotation: Any) -> Any:
    """The type of the values if ``annotation`` is a table with free keys, else None."""
    return get_args(annotation)[1] if get_origin(annotation) is dict else None


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside a field's type: that of a section, or of a list's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := section_of(argument)) is not None:
            return found
    return None


def _all_keys(model: type[BaseModel], prefix: KeyPath) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        path = (*prefix, field.alias or name)
        yield path
        section = section_of(field.annotation)
        if section is not None:
            yield from _all_keys(section, path)
