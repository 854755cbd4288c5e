"""Answers of the runbook's detectors, as a child would print them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from console.live.runbook_watch import RunbookLook
from tests.waiting import LIMIT_SECONDS


def symptom(symptom_id: str, verdict: str = "clear", **more: Any) -> dict[str, Any]:
    """One symptom of ``distill runbook detect --json``."""
    return {
        "id": symptom_id,
        "severity": "error",
        "verdict": verdict,
        "observed": f"{symptom_id} is {verdict}",
        "source": "live",
        "as_of": 1_777_279_267.0,
        "title": f"What {symptom_id} is",
        "what_you_see": "What one sees.",
        "why": "Why it matters.",
        "phases": ["P0"],
        "checks": ["P0.recon-doc"],
        "explained_by": [],
        "causes": [{"id": "deleted", "sentence": "Somebody deleted it."}],
        "by_hand": [{"says": "Put it back.", "command": "git checkout -- it"}],
        "live": True,
        "reproduce": "ls -l it",
        **more,
    }


def answer(*symptoms: dict[str, Any]) -> str:
    return json.dumps({"symptoms": list(symptoms), "exit_code": 0})


def look_that(code: str, root: Path, *, limit_seconds: float = LIMIT_SECONDS) -> RunbookLook:
    """A look whose child runs ``code`` in place of the detectors."""
    return RunbookLook(root, argv=[sys.executable, "-c", code], limit_seconds=limit_seconds)
