"""A line put together from pieces has the bytes that orjson gives the whole row."""

from __future__ import annotations

import orjson
import pytest

from pipeline.engine.chunk_index import LineEntry, RowEntry, pack_refusal
from pipeline.engine.quarantine_lines import quarantine_line
from pipeline.schemas.quarantined_row import QuarantinedRow


@pytest.mark.parametrize("name", ["t1", 'quoted "\\" \n\t', "数据 🙂 é", "", "%b %d"])
@pytest.mark.parametrize("detail", ["", "about 9 tokens, max_tokens is 8"])
def test_the_line_is_what_orjson_writes(name: str, detail: str) -> None:
    row = RowEntry(f"{name}/0123", name, 3, 2, 0.5, (1, 1, 0, 0), b"")
    line = LineEntry(2**40, 2**53, bytes(range(32)), [row])
    written = quarantine_line("rag", pack_refusal("too_long", detail), (name, f"logs/{name}"), line, row)
    assert written == (
        orjson.dumps(
            {
                "schema_version": 1,
                "export": "rag",
                "reason": "too_long",
                "detail": detail,
                "run_id": f"{name}/0123",
                "stream": name,
                "task_id": name,
                "category": "needs_human_review",
                "provenance": {
                    "source_file": f"logs/{name}",
                    "line": 2**40,
                    "byte_offset": 2**53,
                    "sig_hash": bytes(range(32)).hex(),
                    "part": 3,
                },
            }
        )
        + b"\n"
    )


def test_a_line_is_a_quarantined_row_once_it_is_stamped() -> None:
    row = RowEntry("runs/0123", "t1", 0, 3, 0.0, (1, 1, 0, 0), b"")
    line = LineEntry(1, 0, bytes(32), [row], "data/_kb/written-elsewhere.jsonl")
    written = quarantine_line("sft", pack_refusal("category_not_allowed"), ("runs", ""), line, row)
    stamped = written.removesuffix(b"}\n") + b',"recorded_at":"2026-01-01T00:00:00Z"}'
    assert QuarantinedRow.model_validate_json(stamped).provenance.source_file == line.source_file
