"""JSON Schema (2020-12) of each persisted row and of what programs read, for readers in other languages.

It says what a single field may hold. What concerns two fields at once (a pair of one run
with itself, a conversation that ends on a user turn) and the calendar are beyond it: a row
that passes there may still be refused by the model, which is the authority.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts.machine_schemas import DIALECT, machine_schemas
from pipeline.platform import disk
from pipeline.schemas.registry import SCHEMAS, Schema


def json_schema(schema: Schema) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"urn:distill:schema:{schema.name}:{schema.version}",
        **schema.model.model_json_schema(),
    }


def all_json_schemas() -> dict[str, dict[str, Any]]:
    """Those of rows by name, then those of what programs read of a workspace."""
    return {**{schema.name: json_schema(schema) for schema in SCHEMAS}, **machine_schemas()}


def write_json_schemas(folder: Path) -> list[Path]:
    """One ``<schema>.schema.json`` each, made or replaced; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in all_json_schemas().items():
        path = folder / f"{name}.schema.json"
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n"
        disk.write_file(path, text, mode=disk.SHARED_MODE)
        written.append(path)
    return written
