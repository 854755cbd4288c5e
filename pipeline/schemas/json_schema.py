"""JSON Schema (2020-12) of each persisted row, for readers that are not written in Python.

It says what a single field may hold. What concerns two fields at once (a pair of one run
with itself, a conversation that ends on a user turn) and the calendar are beyond it: a row
that passes there may still be refused by the model, which is the authority.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from pipeline.platform import disk
from pipeline.schemas.registry import SCHEMAS, Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(schema: Schema) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"urn:distill:schema:{schema.name}:{schema.version}",
        **schema.model.model_json_schema(),
    }


def all_json_schemas() -> dict[str, dict[str, Any]]:
    return {schema.name: json_schema(schema) for schema in SCHEMAS}


def write_json_schemas(folder: Path) -> list[Path]:
    """One ``<schema>.schema.json`` each, made or replaced; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for schema in SCHEMAS:
        path = folder / f"{schema.name}.schema.json"
        text = orjson.dumps(json_schema(schema), option=orjson.OPT_INDENT_2) + b"\n"
        disk.write_file(path, text, mode=disk.SHARED_MODE)
        written.append(path)
    return written
