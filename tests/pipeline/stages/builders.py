"""Valid evidence, verdicts and options for these tests; each test states only what it is about."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pipeline.settings.model import ExportSettings, ScoringSettings
from pipeline.stages.score import score

THRESHOLDS = ScoringSettings(accept_at=1.0, partial_at=0.5)
OPTIONS = ExportSettings()


def evidence(run: int = 1, **fields: Any) -> dict[str, Any]:
    """A flat run without any signal, as P2 hands it over (no ``recorded_at``)."""
    row: dict[str, Any] = {
        "schema_version": 2,
        "run_id": f"shell/{run:016x}",
        "task_id": "count-lines",
        "stream": "shell",
        "timestamp": None,
        "model_name": "model-a",
        "model_provider": None,
        "instruction": "Count the lines of a file.",
        "context": None,
        "response": "wc -l FILE",
        "goal": None,
        "messages": None,
        "tools": None,
        "finish_reason": None,
        "success_markers": [],
        "failure_markers": [],
        "reward": None,
        "verdict": None,
        "human_override": None,
        "validation": {},
        "tokens": None,
        "cost_usd": None,
        "latency_ms": None,
        "tags": [],
        "flags": [],
        "provenance": {
            "source_file": "data/_kb/shell.jsonl",
            "line": run,
            "byte_offset": 0,
            "sig_hash": hashlib.sha256(str(run).encode()).hexdigest(),
            "part": 0,
        },
    }
    unknown = set(fields) - set(row)
    assert not unknown, unknown
    return row | fields


def turn(role: str, content: str | None = None, *calls: tuple[str, str], **fields: Any) -> dict[str, Any]:
    """One message. ``calls`` are name and arguments of tool calls."""
    made = [
        {"id": f"call-{number}", "name": name, "arguments": arguments}
        for number, (name, arguments) in enumerate(calls)
    ]
    return {
        "role": role,
        "content": content,
        "tool_calls": made or None,
        "tool_call_id": None,
        "name": None,
        "reasoning": None,
        "weight": None,
    } | fields


def exported(turn: dict[str, Any]) -> dict[str, Any]:
    """A message as the exports write it."""
    calls = turn["tool_calls"]
    return {
        "role": turn["role"],
        "content": turn["content"] or "",
        "tool_calls": json.dumps(calls, separators=(",", ":"), ensure_ascii=False) if calls else "",
        "tool_call_id": turn["tool_call_id"] or "",
        "name": turn["name"] or "",
        "reasoning": turn.get("reasoning") or "",
        "weight": 1.0 if turn.get("weight") is None else turn["weight"],
    }


def conversation(run: int = 1, *turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A run with messages. Without ``turns``: policy, question, call, result, answer, thanks."""
    messages = list(turns) or [
        turn("system", "You are a clerk."),
        turn("user", "Book a seat."),
        turn("assistant", None, ("book", '{"seat": "4A", "meal": null}')),
        turn("tool", "booked", tool_call_id="call-0", name="book"),
        turn("assistant", "Seat 4A is yours."),
        turn("user", "Thanks! ###STOP###"),
    ]
    return evidence(run, messages=messages, instruction=None, response=None, **fields)


def scored(row: dict[str, Any], category: str | None = None, strength: float | None = None) -> dict[str, Any]:
    """The verdict of ``row``: the scorer's own, or the one that a test needs."""
    verdict = score(row, THRESHOLDS)
    if category is not None:
        verdict |= {"category": category}
    if strength is not None:
        verdict |= {"score": strength}
    return verdict
