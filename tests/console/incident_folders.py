"""Incidents to show: one as a wizard left it, and others that nobody can believe."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.reading.incident_journal import hash_of
from tests.console.states import NOW

DOC = "docs/recon/local-distillation-recon.md"
ID = "20260427-0829-s1-p0-recon-doc"
SYMPTOM = "S1.P0.recon-doc"
TITLE = "The recon doc is missing or empty"
_OPENED = datetime.fromtimestamp(NOW, UTC) - timedelta(minutes=12)
_TEXT = b"# Recon\n"
_AFTER = hashlib.sha256(_TEXT).hexdigest()


def _detection(verdict: str, observed: str) -> dict[str, Any]:
    at = _OPENED.timestamp()
    return {
        "symptom_id": SYMPTOM, "verdict": verdict, "observed": observed, "read_at": at, "as_of": at,
        "source": "live", "reproduce": f"ls -l {DOC}", "evidence": [], "facts": {},
    }  # fmt: skip


def _evidence(stance: str, says: str, source: str, *lines: str) -> dict[str, Any]:
    return {
        "stance": stance, "says": says, "source": source, "read_at": _OPENED.timestamp(), "lines": [*lines]
    }  # fmt: skip


_DIAGNOSIS: dict[str, Any] = {
    "cause": {
        "id": "deleted",
        "sentence": "The last-good tag has it: it was deleted or emptied since.",
        "confidence": "certain",
        "places": [f"{DOC} is missing"],
        "evidence": [
            _evidence(
                "for", "distillation-v1.0.0 holds 8 bytes of it.", f"git ls-tree distillation-v1.0.0 -- {DOC}"
            ),
            _evidence(
                "for", "Commits touched it.", f"git log -- {DOC}", "2dcab49bc6a9 Mira: say what sources are"
            ),
        ],
    },
    "considered": [],
    "facts": {},
    "see": None,
}
_ABSENT = {"sha256": None, "bytes": None, "mode": None}
_THERE = {"sha256": _AFTER, "bytes": len(_TEXT), "mode": 0o644}
_PLAN: dict[str, Any] = {
    "schema_version": 1,
    "incident_id": ID,
    "symptom_id": SYMPTOM,
    "action": "restore",
    "title": f"Restore {DOC} from distillation-v1.0.0",
    "made_at": "2026-04-27T08:30:00Z",
    "made_by": "mara",
    "steps": [
        {
            "type": "write_file", "path": DOC, "before": _ABSENT, "after": _THERE,
            "content": {"type": "git_blob", "oid": "87ae4be308390afb641e6197c6b2415732729d20"},
            "says": f"Create {DOC} by the bytes it has in distillation-v1.0.0.", "by_hand": "",
        }
    ],
    "reads": {},
    "tag": "distillation-v1.0.0",
    "commit": "e24fab88001b9614aa539a50f501cdd8b3e90de9",
    "reversible": True,
    "undo": "Put the bytes and modes back that each file had before (kept in the incident's folder).",
    "verify": SYMPTOM,
    "ends": "resolved",
    "undoes": None,
    "notes": [],
}  # fmt: skip


def entries(incident_id: str = ID) -> list[dict[str, Any]]:
    """Ten whole entries, from what was seen to a green detector."""
    from runbook.change.plan import Plan

    plan = {**_PLAN, "incident_id": incident_id}
    plan_hash = Plan.model_validate_json(json.dumps(plan)).hash
    change = {"step": 0, "before": {DOC: _ABSENT}, "after": {DOC: _THERE}, "folders": []}
    files = {"inputs": {DOC: None}, "outputs": {DOC: _AFTER}, "plan_hash": plan_hash}
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("opened", "detected", {
            "verdict": "detected", "argv": ["distill", "runbook", "open", SYMPTOM],
            "detail": {"symptom_id": SYMPTOM, "severity": "error", "title": TITLE,
                       "detection": _detection("detected", f"{DOC} is missing")}}),
        ("probe", "diagnosing", {
            "verdict": "read",
            "detail": {"sha256": None, "output": {
                "probe_id": "history", "title": "What git holds of it", "argv": [], "exit_code": None,
                "text": "distillation-v1.0.0: e24fab88, 8 bytes of text\n2dcab49b Mira: say what sources are",
                "data": None, "trouble": "", "timed_out": False, "took_seconds": 0.02,
                "read_at": _OPENED.timestamp()}}}),
        ("classified", "classified", {"verdict": "deleted", "detail": {"diagnosis": _DIAGNOSIS}}),
        ("note", "classified", {"detail": {"offer": "restore"}}),
        ("planned", "planned", {
            "inputs": {DOC: None}, "plan_hash": plan_hash,
            "detail": {"plan": plan, "offer": "restore", "code": "7933"}}),
        ("state", "awaiting_approval", {
            "verdict": "rehearsed", "plan_hash": plan_hash,
            "detail": {"rehearsal": {
                "ok": True, "took_seconds": 0.7, "detail": "364 files compared: byte-identical after undo",
                "changed": [DOC], "linked_bytes": 0, "copied_bytes": 0}}}),
        ("consent", "applying", {
            "actor": "mara", "plan_hash": plan_hash, "reason": "the doc was deleted by a clean-up script"}),
        ("intent", "applying", {**files, "detail": {**change, "type": "write_file"}}),
        ("outcome", "applying", {
            **files, "verdict": "done", "detail": {**change, "done": True, "settled": False, "said": ""}}),
        ("verified", "resolved", {
            "verdict": "clear", "plan_hash": plan_hash,
            "detail": {"detection": _detection("clear", f"{DOC} is there"), "says": f"{DOC} is there"}}),
    ]  # fmt: skip
    return [
        _members(number, kind, state, more, incident_id) for number, (kind, state, more) in enumerate(told)
    ]


def _members(number: int, kind: str, state: str, more: Mapping[str, Any], incident_id: str) -> dict[str, Any]:
    at = _OPENED + timedelta(seconds=2 * number)
    return {
        "schema_version": 1, "incident_id": incident_id, "seq": number + 1, "prev_hash": None,
        "kind": kind, "state": state, "actor": "mara", "host": "db1", "argv": [], "inputs": {},
        "outputs": {}, "verdict": None, "plan_hash": None, "reason": None, "detail": {},
        "recorded_at": f"{at:%Y-%m-%dT%H:%M:%S.000000Z}", **more,
    }  # fmt: skip


def chained(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with their hashes, each chained to the one before."""
    previous: str | None = None
    for row in rows:
        row["prev_hash"] = previous
        row["hash"] = previous = hash_of(row)
    return rows


def write_incident(root: Path, rows: list[dict[str, Any]], incident_id: str = ID, tail: str = "") -> Path:
    """The folder of an incident whose journal holds just ``rows``; files have a fixed age."""
    folder = root / paths.INCIDENTS / incident_id
    folder.mkdir(parents=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) + tail
    (folder / "journal.jsonl").write_text(text)
    if rows and "hash" in rows[-1]:
        (folder / "head.json").write_text(json.dumps({"seq": len(rows), "hash": rows[-1]["hash"]}))
    facts = {
        "schema_version": 1, "incident_id": incident_id, "symptom_id": SYMPTOM, "title": TITLE,
        "opened_at": f"{_OPENED:%Y-%m-%dT%H:%M:%SZ}", "opened_by": "mara",
    }  # fmt: skip
    (folder / "incident.json").write_text(json.dumps(facts))
    return folder


def real_incident(root: Path, incident_id: str = ID) -> Path:
    """Resolved, and its chain is whole."""
    return write_incident(root, chained(entries(incident_id)), incident_id)


def open_incident(root: Path, entries_kept: int = 6, incident_id: str = ID) -> Path:
    """The same, as it stood after its first entries."""
    return write_incident(root, chained(entries(incident_id)[:entries_kept]), incident_id)


def broken_incident(root: Path, incident_id: str = "20260427-0700-edited") -> Path:
    """Somebody changed who had agreed."""
    rows = chained(entries(incident_id))
    rows[6]["actor"] = "mallory"
    return write_incident(root, rows, incident_id)


def unreadable_incident(root: Path, incident_id: str = "20260426-2200-garbage") -> Path:
    """Bytes that no journal has, and half a line."""
    folder = root / paths.INCIDENTS / incident_id
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(b'\x00\x01garbage \x1b[31m\n{"kind": 5}\n{"to')
    return folder


def piped_incident(root: Path, incident_id: str = "20260426-2100-pipe") -> Path:
    """A journal that would block whoever opens it."""
    folder = root / paths.INCIDENTS / incident_id
    folder.mkdir(parents=True)
    os.mkfifo(folder / "journal.jsonl")
    return folder
