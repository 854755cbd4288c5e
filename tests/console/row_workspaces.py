"""Workspaces with a few rows in each of their files, made without the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from tests.console.workspaces import write

RUN = "taubench_airline/bab68815ca5e0f21"
ID = "sft-5c0e7d1200000000"
POLICY = "# Airline Agent Policy\n\nThe current time is 2024-05-15. " + "You may not cancel flights. " * 40


def jsonl(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def sft(number: int, **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": f"sft-{number:016x}",
        "instruction": f"Question {number}: may I change my flight?",
        "context": POLICY,
        "response": "Yes, until a day before.",
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}],
        "source_run_id": RUN,
        "quality_score": "accepted",
        "score": 1.0,
    }
    return known | changes


def conversation() -> dict[str, Any]:
    """What version 2 writes of a run with tools: one shape a turn, calls and tools as JSON text."""

    def turn(role: str, content: str = "", **members: Any) -> dict[str, Any]:
        known = {"tool_calls": "", "tool_call_id": "", "name": "", "reasoning": "", "weight": 1.0}
        return {"role": role, "content": content, **known, **members}

    call = {"id": "c1", "name": "look_up", "arguments": '{"booking": "KR7Q2", "with": {"fare": true}}'}
    look_up = {"name": "look_up", "parameters": {"properties": {"booking": {}, "with": {}}}}
    asked = "Question 1: may I change my flight?"
    return {
        "shape": "conversation",
        "instruction": asked,
        "messages": [
            turn("system", POLICY),
            turn("user", asked),
            turn("assistant", reasoning="Read the booking first.", tool_calls=json.dumps([call])),
            turn("tool", '{"fare": "flex"}', tool_call_id="c1", name="look_up"),
            turn("assistant", "Yes, until a day before."),
        ],
        "tools": json.dumps([{"type": "function", "function": look_up}]),
    }


def with_rows(root: Path) -> Path:
    """Files of every kind; the SFT file has a conversation, a row that is hostile and a torn last one."""
    hostile = sft(2, id=ID, instruction="[red]\x1b[2J\u202eevil[/x]", quality_score="partially_accepted")
    write(root, paths.SFT_EXPORT, jsonl(sft(0), sft(1, **conversation()), hostile) + '{"id": "torn')
    write(
        root,
        paths.evidence_file("mint_runs"),
        jsonl({"run_id": "mint_runs/1", "model_name": "gpt-4", "instruction": "2+2?"}),
    )
    scored = {"run_id": "mint_runs/1", "category": "rejected", "score": 0.25, "reasons": ["verdict_fail"]}
    write(root, paths.scored_file("mint_runs"), jsonl(scored))
    write(root, paths.SFT_QUARANTINE, jsonl({"reason": "too_long", "category": "accepted", "run_id": RUN}))
    write(root, "data/_kb/mint_runs.jsonl", '{"ok": true}\nnot json at all\n')
    write(
        root,
        paths.DISTILLATION_SKIPS,
        jsonl(
            skip("mint_runs", "not_json", 2, 13),
            *(skip("agbenchmark_reports", "filtered_out", n, n * 10, "role is system") for n in range(1, 6)),
            skip("mint_runs", "filtered_out", 1, 0),
        ),
    )
    return root


def skip(stream: str, reason: str, line: int, offset: int, detail: str = "") -> dict[str, Any]:
    return {
        "schema_version": 1, "stream": stream, "file": f"data/_kb/{stream}.jsonl", "line": line,
        "byte_offset": offset, "reason": reason, "detail": detail, "recorded_at": "2026-04-27T06:00:00Z",
    }  # fmt: skip


def lineage_answer(*, broken: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the engine says of the hostile row, as ``distill lineage --json`` prints it."""
    chain = {
        "run_id": RUN,
        "role": "run",
        "ok": not broken,
        "broken": list(broken),
        "scored": {
            "file": "data/scored-runs/taubench_airline.jsonl", "line": 38, "byte_offset": 9_120,
            "bytes": 240, "run_id": RUN, "category": "rejected", "score": 0.0, "reasons": ["reward_below"],
        },
        "evidence": {
            "file": "data/evidence/taubench_airline.jsonl", "line": 38, "byte_offset": 800_000,
            "bytes": 43_000, "run_id": RUN, "task_id": "2",
        },
        "source": {
            "file": "data/_kb/mint_runs.jsonl", "line": 1, "byte_offset": 0, "bytes": 12,
            "sig_hash": "a" * 64, "sha256": "a" * 64, "state": "ok", "why": "", "text": '{"ok": true}',
        },
        "elsewhere": [
            {"what": "quarantined by sft: too_long", "file": "exports/quarantine/sft.jsonl", "line": 1,
             "byte_offset": 0, "bytes": 60, "run_id": RUN, "reason": "too_long"}
        ],
    }  # fmt: skip
    return {
        "asked": ID,
        "ok": not broken,
        "row": {
            "file": str(paths.SFT_EXPORT),
            "line": 3,
            "byte_offset": 2_800,
            "bytes": 1_400,
            "id": ID,
            "quality_score": "accepted",
        },
        "skip": None,
        "skipped_source": None,
        "chains": [chain],
    }
