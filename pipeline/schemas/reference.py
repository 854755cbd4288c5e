"""The reference page of the schemas, made from the models: ``distill schema reference``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from pydantic import BaseModel

from pipeline.schemas.fingerprint import models_in, type_text
from pipeline.schemas.registry import SCHEMAS, Schema

_INTRODUCTION = """\
# Schemas

Every row and report that the engine writes, made from the models in `pipeline/schemas/` by
`distill schema reference`. All fields are required; `null` stands where a value is not known.
Unknown fields are refused, numbers are finite, and nothing is coerced: `"1"` is not 1 and
`true` is not 1. Times are ISO 8601 in UTC and end in `Z`. `recorded_at` is the last member of
a row. Sizes are in bytes, durations in seconds, unless the name says otherwise.

`distill schema export --dir DIR` writes JSON Schema (2020-12) for each, and for what programs read of
a workspace: `batch_report` (`report.json` of `--batch`), `status` (`distill status --json`) and `event`
(one line of an event stream). `distill schema check`
compares each schema with its lock and tries the golden rows, which lie in
`pipeline/schemas/golden/` (also under `fixtures/contracts/`).

The three exports carry no `schema_version`, because a trainer's loader would take it for a
feature of the data.

To change a schema: edit the model, raise its `SCHEMA_VERSION`, add the step from the version
before to `pipeline/schemas/migrations.py`, add golden rows, then `distill schema lock` and
`make pages`.
"""

# How a constraint reads in a table. The first part that matches is replaced, in this order.
_WORDS = (
    (" pattern=^[0-9a-f]{64}$", " (sha256, hex)"),
    (" pattern=^([0-9a-f]{40}|[0-9a-f]{64})$", " (git object id)"),
    (" pattern=^[a-z][a-z0-9_]*$", " (code)"),
    (" pattern=^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,16}$", " (pipeline run id)"),
    (" ge=0 le=9223372036854775807", " ≥ 0"),
    (" ge=1 le=9223372036854775807", " ≥ 1"),
    (" min_length=0", ""),
    (" min_length=1", ", not empty"),
    ("one of 1 checked=_plain_integer", "1"),
)
_TIME = re.compile(r"str checked=_existing_moment pattern=\S+")
_RANGE = re.compile(r" ge=(\S+) le=([0-9.]+)")


def page() -> str:
    """The whole page, the same text every time."""
    nested: dict[str, type[BaseModel]] = {}
    sections = [_INTRODUCTION]
    for schema in SCHEMAS:
        sections.append("\n".join(_section(schema)))
        for part in _nested_in(schema.model):
            nested.setdefault(part.__name__, part)
    sections.append("## Parts\n\nModels that stand inside the ones above.\n")
    for name in sorted(nested):
        sections.append("\n".join([f"### {name}", "", *_body(nested[name])]))
    return "\n".join(sections)


def _section(schema: Schema) -> Iterator[str]:
    yield f"## {schema.name}"
    yield ""
    yield f"`{schema.model.__name__}`, version {schema.version}, written to `{schema.written_to}`."
    yield ""
    yield from _body(schema.model)


def _body(model: type[BaseModel]) -> Iterator[str]:
    yield inspect.cleandoc(model.__doc__ or "")
    yield ""
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, info in model.model_fields.items():
        kind = readable_type(type_text(info.annotation, info.metadata))
        yield f"| `{name}` | {_cell(kind)} | {_cell(info.description or '')} |"
    rules = [
        inspect.cleandoc(getattr(model, validator).__doc__ or "")
        for validator in model.__pydantic_decorators__.field_validators
    ]
    if rules:
        yield ""
        yield "Beyond single fields:"
        yield ""
        yield from (f"- {rule}" for rule in rules)
    yield ""


def readable_type(text: str) -> str:
    """A description of the fingerprint in words, such as ``int ≥ 0 or null``."""
    text = _TIME.sub("time", text)
    for constraint, words in _WORDS:
        text = text.replace(constraint, words)
    text = _RANGE.sub(r" from \1 to \2", text).replace(" ge=0", " ≥ 0")
    text = re.sub(r" pattern=(\S+)", r" matching `\1`", text)
    alternatives = text.split("|") if "`" not in text else [text]
    if "null" in alternatives:
        alternatives = [*(kind for kind in alternatives if kind != "null"), "null"]
    return " or ".join(alternatives)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _nested_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for info in model.model_fields.values():
        for part, _ in models_in(info.annotation):
            yield part
            yield from _nested_in(part)
