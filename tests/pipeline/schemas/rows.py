"""Rows for these tests, taken from the golden rows, so that there is one place to keep right."""

from __future__ import annotations

import json
from typing import Any

from pipeline.schemas.golden_rows import GOLDEN_FOLDER


def golden(schema: str, number: int = 0) -> dict[str, Any]:
    """The valid golden row of that number, a copy of its own."""
    lines = (GOLDEN_FOLDER / schema / "valid.jsonl").read_text(encoding="utf-8").splitlines()
    row: dict[str, Any] = json.loads(lines[number])
    return row


def unstamped(schema: str, number: int = 0) -> dict[str, Any]:
    """A golden row as an exporter hands it over: without ``recorded_at``."""
    row = golden(schema, number)
    del row["recorded_at"]
    return row
