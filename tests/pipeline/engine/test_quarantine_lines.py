"""A line put together from pieces has the bytes that orjson gives the whole row, and no credential."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.engine.chunk_entries import LineEntry, RowEntry, pack_refusal
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.quarantine_lines import quarantine_lines
from pipeline.schemas.quarantined_row import QuarantinedRow
from tests.pipeline.engine.workspaces import encoded, flat_line, make_workspace, rows, run_all


def _index(line: LineEntry) -> ChunkIndex:
    return ChunkIndex.made_of([b""] * 4, lines_read=1, lines=[line], skips=[], counts={})


@pytest.mark.parametrize("name", ["t1", 'quoted "\\" \n\t', "数据 🙂 é", "", "%b %d"])
@pytest.mark.parametrize("detail", ["", "about 9 tokens, max_tokens is 8"])
def test_the_line_is_what_orjson_writes(name: str, detail: str) -> None:
    row = RowEntry(f"{name}/0123", name, 3, 2, 0.5, (1, 1, 0, 0), bytes(64))
    line = LineEntry(2**40, 2**53, bytes(range(32)), [row])
    refusal = pack_refusal("too_long", detail)
    (written,) = quarantine_lines("rag", name, f"logs/{name}", _index(line), [(0, refusal)])
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
    row = RowEntry("runs/0123", "t1", 0, 3, 0.0, (1, 1, 0, 0), bytes(64))
    line = LineEntry(1, 0, bytes(32), [row], "data/_kb/written-elsewhere.jsonl")
    refusal = pack_refusal("category_not_allowed")
    (written,) = quarantine_lines("sft", "runs", "", _index(line), [(0, refusal)])
    stamped = written.removesuffix(b"}\n") + b',"recorded_at":"2026-01-01T00:00:00Z"}'
    assert QuarantinedRow.model_validate_json(stamped).provenance.source_file == line.source_file


SECRET_TASKS = (
    "sk-proj-" + "aB3dE5gH7jK9" * 4 + "T3BlbkFJ" + "aB3dE5gH7jK9" * 4,
    "ghp_" + "a1B2c3D4e5F6" * 3,
)


def test_a_credential_in_a_task_id_stands_nowhere_below_the_exports(tmp_path: Path) -> None:
    lines = [flat_line(number) for number in range(20)]
    for line in lines[:10]:
        line["task"] = f"{SECRET_TASKS[line['task'] == 't0']}/{line['task']}"
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": encoded(lines), "chats.jsonl": b""})
    run_all(workspace)
    for path in (workspace / paths.EXPORTS).rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in SECRET_TASKS if secret.encode() in data], path
    tasks = {row["run_id"]: row["task_id"] for row in rows(workspace, paths.evidence_file("runs"))}
    assert sum(any(secret in task for secret in SECRET_TASKS) for task in tasks.values()) == 10
    shown: dict[str, set[str]] = {}
    for place in paths.QUARANTINE_FILES.values():
        for row in rows(workspace, place):
            task = tasks[row["run_id"]]  # the id by which rows join is as it was
            shown.setdefault(task, set()).add(row["task_id"])
    assert len(shown) == 4
    for task, names in shown.items():
        (name,) = names
        is_secret = any(secret in task for secret in SECRET_TASKS)
        assert name.startswith("secret-") == is_secret
        assert is_secret or name == task
    assert len(set.union(*shown.values())) == 4
