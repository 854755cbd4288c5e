"""S2.drift: what moved, what is decided, and what comes first. Its drills take decisions back."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from pipeline.contracts import paths
from runbook.probes.workspace import Workspace
from runbook.symptoms.s2_drift.diagnose import detect, rerun
from tests.pipeline.engine.workspaces import engine
from tests.runbook.symptoms.test_sft_leak import append_rejected
from tests.runbook.symptoms.walked import cause, diagnosed, filled, repaired, verdict
from tests.runbook.test_commands import distill

ID = "S2.drift"
WHY = ("--answer", "note=the second site was switched on")


@cache
def _audited(metric: str) -> Path:
    """Audited against a baseline that holds half of what ``metric`` is: it warns."""
    above = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    root = filled(above / "w").root
    assert engine(root, "acceptance").returncode == 0
    gate = ("--acceptance-report", str(root / paths.ACCEPTANCE_DATA))
    seeded = engine(root, "audit-full", *gate)
    assert seeded.returncode == 0, seeded.stdout
    journal = root / paths.AUDIT_BASELINES
    row = json.loads(journal.read_bytes())
    row["metrics"][metric] /= 2
    journal.write_text(json.dumps(row) + "\n")
    report = engine(root, "audit-full", *gate)
    assert "1 drift warning" in report.stdout
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_audited("evidence_rows"), tmp_path / "w"))


def test_what_moved_is_explained_and_a_decision_about_it_counts_at_once(root: Path) -> None:
    assert cause(root, ID) == ("new_source_data", "likely")
    repaired(root, ID, "--offer", "dismiss", *WHY)
    assert verdict(root, ID) == "clear"
    last = json.loads((root / paths.AUDIT_BASELINES).read_bytes().splitlines()[-1])
    assert (last["kind"], last["decided_metrics"]) == ("dismiss", ["evidence_rows"])


def test_a_decision_needs_its_reason(root: Path) -> None:
    assert distill(root, "runbook", "plan", ID, "--offer", "accept").returncode == 2


def test_over_a_forbidden_row_nothing_is_accepted(root: Path) -> None:
    append_rejected(root)
    found = json.loads(distill(root, "runbook", "detect", "--json").stdout)["symptoms"]
    assert {each["id"]: each["beneath"] for each in found if each["verdict"] == "detected"} == {
        "S1.P4.sft-leak": None,
        "S1.P5.summary": "S1.P4.sft-leak",
        ID: "S1.P4.sft-leak",
    }
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["id"] == "leak"
    assert told["diagnosis"]["see"] == "S1.P4.sft-leak"
    assert told["offers"] == []


def test_a_field_that_was_lost_is_told_before_anything_is_accepted(root: Path) -> None:
    source = root / paths.KNOWLEDGE_BASE / "chats.jsonl"
    source.write_bytes(source.read_bytes().replace(b'"reward"', b'"points"'))
    assert engine(root, "run-all", "--allow-shrink").returncode == 0
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["id"] == "field_lost"
    assert told["diagnosis"]["see"] == "S1.P2.materialize"
    assert told["offers"] == []
    said = json.dumps(told["diagnosis"])
    assert "stream chats: no row has reward (20 rows had it) any more" in said


def test_a_warning_that_is_over_does_not_ring_and_one_that_is_new_is_found_by_looking_anew(
    root: Path,
) -> None:
    workspace = Workspace(root)
    journal = root / paths.AUDIT_BASELINES
    row = json.loads(journal.read_bytes().splitlines()[-1])
    row["metrics"]["evidence_rows"] *= 2
    (root / paths.SETTINGS).touch()
    journal.write_text(json.dumps(row) + "\n")
    assert detect(workspace).verdict == "clear"
    row["metrics"]["sft_rows"] /= 2
    journal.write_text(json.dumps(row) + "\n")
    seen = rerun(workspace)
    assert (seen.verdict, seen.source) == ("detected", "live")
    assert "sft_rows" in seen.observed


def test_without_an_audit_it_is_not_known(tmp_path: Path) -> None:
    assert verdict(filled(tmp_path / "w").root, ID) == "unknown"
