"""A small workspace for firewall tests: runs with verdicts, and the export made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths

STAMP = "2026-01-09T10:22:31Z"
GOOD, PARTLY, OPEN, BAD = "accepted", "partially_accepted", "needs_human_review", "rejected"


def line(value: Any) -> bytes:
    """A line as the engine writes it: compact, UTF-8 as it is."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def turn(role: str, content: str | None, calls: Sequence[tuple[str, str]] | None = None) -> dict[str, Any]:
    tool_calls = None
    if calls is not None:
        tool_calls = [
            {"id": f"call_{number}", "name": name, "arguments": arguments}
            for number, (name, arguments) in enumerate(calls)
        ]
    return {
        "role": role,
        "content": content,
        "tool_calls": tool_calls,
        "tool_call_id": None,
        "name": None,
        "reasoning": None,
        "weight": None,
    }


def exported(turns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turns as an export holds them: nothing null, calls as JSON text."""
    return [
        {
            "role": each["role"],
            "content": each["content"] or "",
            "tool_calls": json.dumps(each["tool_calls"], separators=(",", ":")) if each["tool_calls"] else "",
            "tool_call_id": "",
            "name": "",
            "reasoning": "",
            "weight": 1.0,
        }
        for each in turns
    ]


def provenance(number: int = 1) -> dict[str, Any]:
    return {
        "source_file": "data/_kb/chat.jsonl",
        "line": number,
        "byte_offset": number * 100,
        "sig_hash": f"{number:064x}",
        "part": 0,
    }


def _as_evidence(messages: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    if messages is None:
        return None
    return [{**message, "reasoning": None, "weight": 1.0} for message in messages]


class Run:
    """One run: its evidence row, its scored row, and the row that an honest exporter makes of it."""

    def __init__(
        self,
        name: str,
        category: str,
        response: str | None = "Forty-two.",
        *,
        task: str = "t1",
        stream: str = "chat",
        instruction: str | None = "What is six times seven?",
        messages: list[dict[str, Any]] | None = None,
    ) -> None:
        self.run_id = f"{stream}/{name}"
        self.category, self.task, self.stream = category, task, stream
        self.response, self.instruction, self.messages = response, instruction, messages
        self.context: str | None = None

    def evidence(self) -> dict[str, Any]:
        return {
            "schema_version": 2,
            "run_id": self.run_id,
            "task_id": self.task,
            "stream": self.stream,
            "timestamp": None,
            "model_name": "m",
            "model_provider": None,
            "instruction": self.instruction,
            "context": self.context,
            "response": self.response,
            "goal": None,
            "messages": _as_evidence(self.messages),
            "tools": None,
            "finish_reason": None,
            "success_markers": [],
            "failure_markers": [],
            "reward": 0.5,
            "verdict": None,
            "human_override": None,
            "validation": {},
            "tokens": None,
            "cost_usd": None,
            "latency_ms": 12.5,
            "tags": [],
            "flags": [],
            "provenance": provenance(),
            "recorded_at": STAMP,
        }

    def scored(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "run_id": self.run_id,
            "task_id": self.task,
            "stream": self.stream,
            "category": self.category,
            "score": 0.5,
            "reasons": ["reward"],
            "sub_scores": {"reward": 0.5},
            "scorer_version": "1",
            "provenance": provenance(),
            "recorded_at": STAMP,
        }

    def row(self, **changed: Any) -> dict[str, Any]:
        """The SFT row of this run; ``changed`` members are what a launderer changes.

        Messages are given as evidence holds them. Those of a flat row say what its texts say.
        """
        asked = changed.get("instruction", self.instruction or "")
        answered = changed.get("response", self.response or "")
        messages = changed.pop("messages", self.messages)
        told = messages or [turn("user", asked), turn("assistant", answered)]
        row: dict[str, Any] = {
            "id": f"sft-{abs(hash(self.run_id)) % 16**16:016x}",
            "shape": "flat" if messages is None else "conversation",
            "instruction": asked,
            "context": "",
            "response": answered,
            "messages": exported(told),
            "tools": "",
            "source_run_id": self.run_id,
            "quality_score": self.category,
            "stream": self.stream,
            "task_id": self.task,
            "model_name": "m",
            "score": 0.5,
            "turns": 1,
            "estimated_tokens": 12,
            "flags": "",
            "split": "train",
            "provenance": provenance(),
            "attempts": 2,
            "passed": 1,
            "recorded_at": STAMP,
        }
        return {**row, **changed}

    def row_of_version_1(self, **changed: Any) -> dict[str, Any]:
        """The same row as it was written before: with nulls, and messages only of a conversation."""
        row = self.row()
        for name in ("shape", "tools", "flags", "attempts", "passed"):
            del row[name]
        messages = changed.pop("messages", self.messages)
        if messages is not None:
            later = ("reasoning", "weight")
            messages = [{name: turn[name] for name in turn if name not in later} for turn in messages]
        return {**row, "context": None, "messages": messages, **changed}


class Corpus:
    """A workspace on disk. Files are written whole; ``sft`` is the live export."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / paths.SETTINGS).write_text("")
        self.sft = root / paths.SFT_EXPORT
        self.sft.parent.mkdir(parents=True)
        for folder in (paths.EVIDENCE, paths.SCORED_RUNS):
            (root / folder).mkdir(parents=True)

    def runs(self, *runs: Run, version: int = 2) -> None:
        """Write evidence, which says that it is of ``version``, and verdicts; in one file a stream."""
        for stream in {run.stream for run in runs}:
            mine = [run for run in runs if run.stream == stream]
            evidence = b"".join(line({**run.evidence(), "schema_version": version}) for run in mine)
            (self.root / paths.evidence_file(stream)).write_bytes(evidence)
            (self.root / paths.scored_file(stream)).write_bytes(b"".join(line(run.scored()) for run in mine))

    def export(self, *rows: Mapping[str, Any] | bytes) -> Path:
        self.sft.write_bytes(b"".join(row if isinstance(row, bytes) else line(row) for row in rows))
        return self.sft


def honest(root: Path) -> tuple[Corpus, dict[str, Run]]:
    """Two good runs, one open, two rejected ones, and an export that is clear."""
    runs = {
        "good": Run("good", GOOD),
        "partly": Run("partly", PARTLY, "About forty.", task="t2", instruction="Roughly?"),
        "open": Run("open", OPEN, "Maybe 41."),
        "bad": Run("bad", BAD, "It is forty-three,  I am sure."),
        "other": Run("other", BAD, "Blue.", task="t9", instruction="Which colour?"),
    }
    corpus = Corpus(root)
    corpus.runs(*runs.values())
    corpus.export(runs["good"].row(), runs["partly"].row())
    return corpus, runs
