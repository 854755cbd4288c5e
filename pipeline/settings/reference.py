"""``docs/settings.md``, written from the model, so that the page cannot fall behind it."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from typing import cast, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.contracts import paths
from pipeline.settings.mistakes import section_of
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings

_LIMITS = (
    (Ge, "ge", "at least"),
    (Gt, "gt", "more than"),
    (Le, "le", "at most"),
    (Lt, "lt", "less than"),
)
_HEAD = f"""\
# Settings: `{paths.SETTINGS}`

Written from the settings model by `make pages`; do not edit by hand.

Everything but `[[stream]]` has a default. The file is checked before anything is read or written:
an unknown key, a wrong type or a path that leaves the workspace ends the command with exit code 2
and names the file, the line, the value and the nearest valid key. `distill config show` prints
each value and whether it comes from the default or from a line of the file.
`distill init` writes a commented file to start from.

Paths of streams stay inside the workspace, links followed, unless they lie in one of
`source_roots`. They never lead to what the pipeline writes itself.
"""
# How the model's types are called in the file.
_TYPE_NAMES = {
    "int": "whole number",
    "float": "number",
    "Share": "number",
    "Score": "number",
    "SizeBytes": "whole number or text",
    "str": "text",
    "str | None": "text",
    "Line": "text",
    "Line | None": "text",
    "Revision": "text",
    "StreamName": "text",
    "Texts": "list of texts",
    "Paths": "text, or list of texts",
    "Exports": "list",
    "Refusals": "text, or list of texts",
    "Sides": "list",
    "AllowedCategories": "list",
    "Cap | None": "whole number, at least 1",
    "int | None": "whole number",
    "dict[StreamName, Score]": "table of numbers",
    "dict[StreamName, Cap]": "table of whole numbers",
    "RuleTree": "rule",
    "bool": "true or false",
    "dict[str, Texts]": "table of lists of texts",
    "dict[str, RuleTree]": "table of rules",
    "dict[PhaseName, Revision]": "table of texts",
}


def page() -> str:
    """The whole page, ending in a newline."""
    texts = [_HEAD]
    for name, field in Settings.model_fields.items():
        texts += _section(field.alias or name, field, Settings)
    return "\n".join(texts)


def _section(key: str, field: FieldInfo, owner: type[BaseModel]) -> Iterator[str]:
    section = section_of(field.annotation)
    if section is None:
        yield f"## `[{key}]`\n\n{_fields_in_source(owner)[key][1]}\n"
        return
    heading = f"[[{key}]]" if section in (StreamSettings, EvaluationSettings) else f"[{key}]"
    yield f"## `{heading}`\n\n{inspect.cleandoc(section.__doc__ or '')}\n"
    in_source = _fields_in_source(section)
    rows = [
        _row(name, inner, *in_source[name])
        for name, inner in section.model_fields.items()
        if section_of(inner.annotation) is None
    ]
    yield "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
    for name, inner in section.model_fields.items():
        if section_of(inner.annotation) is not None:
            yield from _section(f"{key}.{name}", inner, section)


def _row(name: str, field: FieldInfo, annotation: str, sentence: str) -> str:
    cells = (f"`{name}`", _type(annotation, field), _default(field), sentence)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    return "none" if value in (None, {}) else f"`{json.dumps(value)}`"


def _type(annotation: str, field: FieldInfo) -> str:
    """What may be written, with its limits."""
    if annotation.startswith("Literal["):
        return " or ".join(f"`{json.dumps(choice)}`" for choice in get_args(field.annotation))
    limits = [
        f"{words} {getattr(limit, attribute)}"
        for limit in field.metadata
        for kind, attribute, words in _LIMITS
        if isinstance(limit, kind)
    ]
    if annotation not in _TYPE_NAMES:
        raise LookupError(
            f"_TYPE_NAMES in pipeline/settings/reference.py has no word for {annotation}: "
            "see 'Add a setting' in CONTRIBUTING.md"
        )
    return ", ".join([_TYPE_NAMES[annotation], *limits])


def _fields_in_source(model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Field → its type as written, and the sentence below it (empty if there is none)."""
    definition = ast.parse(inspect.getsource(model)).body[0]
    found: dict[str, tuple[str, str]] = {}
    last = None
    for statement in cast(ast.ClassDef, definition).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            last = statement.target.id
            found[last] = (ast.unparse(statement.annotation), "")
            continue
        if last is not None and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            found[last] = (found[last][0], str(statement.value.value))
        last = None
    return found
