"""The console's light detectors and the runbook's, on the same files: where both know, they agree.

What only the runbook can see (code that does not start, a schema that moved) is not asked here:
it is what the merge is for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.reading.workspace_reader import WorkspaceReader
from console.state import symptom_merge
from console.state.runbook_state import KnownSymptom, RunbookReading
from pipeline.contracts import paths
from runbook.probes.workspace import Workspace
from runbook.symptoms import SYMPTOMS
from runbook.wizard.detecting import detect_one
from tests.console.workspaces import COUNTS, add_run, iso, workspace_after_a_run, write

# Those that need a run that committed, an audit or an engine are walked with their drills.
BOTH_KNOW = (
    "S1.P0.recon-doc",
    "S1.P0.source-missing",
    "S2.drift",
    "S4.empty-exports",
    "S5.hash-mismatch",
    "S6.replay-log",
)
AUDIT = paths.AUDIT_REPORT.with_suffix(".json")
LATER = datetime.now(UTC) - timedelta(minutes=5)


def sound(_root: Path) -> None:
    """As a good run leaves it."""


def no_doc(root: Path) -> None:
    (root / paths.RECON_DOC).unlink()


def empty_doc(root: Path) -> None:
    write(root, paths.RECON_DOC, "")


def blank_doc(root: Path) -> None:
    write(root, paths.RECON_DOC, "\n \t\n")


def long_log(root: Path) -> None:
    settings = root / paths.SETTINGS
    settings.write_text(settings.read_text() + "[rotation]\nreplay_log_mb = 0.001\n")
    write(root, paths.REPLAY_RUNS, "{}\n" * 1000)


def log_at_its_limit(root: Path) -> None:
    settings = root / paths.SETTINGS
    settings.write_text(settings.read_text() + "[rotation]\nreplay_log_mb = 0.003\n")
    write(root, paths.REPLAY_RUNS, "{}\n" * 1000)


def no_rows(root: Path) -> None:
    write(root, "data/_kb/taubench.jsonl", "")


def _compared(exit_code: int, verdict: str) -> dict[str, Any]:
    # So long a comparison is believed until somebody asks for another one.
    found = {"exit_code": exit_code, "verdict": verdict, "finished_at": iso(LATER), "elapsed_seconds": 600.0}
    return {"kind": "determinism", **found, "runs": [{}, {}], "difference": None}


def differing_runs(root: Path) -> None:
    write(root, paths.DETERMINISM_REPORT, _compared(1, "runs differ"))


def equal_runs(root: Path) -> None:
    write(root, paths.DETERMINISM_REPORT, _compared(0, "two runs are equal"))


def dismissed_drift(root: Path) -> None:
    moved = {"metric": "sft_rows", "phase": "P4", "status": "warn", "baseline": 1, "current": 4}
    rows = [{**moved, "dismissed": "seen, and expected"}]
    write(root, AUDIT, {"finished_at": iso(LATER), "drift": rows, "checks": []})


def quiet_drift(root: Path) -> None:
    row = {"metric": "sft_rows", "phase": "P4", "status": "noisy", "baseline": 4, "current": 5}
    write(root, AUDIT, {"finished_at": iso(LATER), "drift": [row], "checks": []})


def emptied_export(root: Path) -> None:
    add_run(root, run_id="20260427T070000Z-aaaa", finished=LATER, counts={**COUNTS, "sft": 0})


@pytest.mark.parametrize(
    "plant",
    [
        sound, no_doc, empty_doc, blank_doc, long_log, log_at_its_limit, no_rows, differing_runs,
        equal_runs, dismissed_drift, quiet_drift, emptied_export,
    ],
)  # fmt: skip
def test_where_both_know_a_symptom_they_agree(plant: Callable[[Path], None], tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    plant(root)
    light = {each.id for each in WorkspaceReader(root).read().symptoms}
    workspace = Workspace(root)
    deep = {each.id: detect_one(workspace, each) for each in SYMPTOMS if each.id in BOTH_KNOW}
    assert set(deep) == set(BOTH_KNOW)
    detected = {each for each, detection in deep.items() if detection.verdict == "detected"}
    clear = {each for each, detection in deep.items() if detection.verdict == "clear"}
    assert light & set(BOTH_KNOW) == detected
    assert not clear & light


@pytest.mark.parametrize("plant", [no_doc, blank_doc, long_log])
def test_what_was_repaired_is_gone_before_the_runbook_looks_again(
    plant: Callable[[Path], None], tmp_path: Path
) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    plant(root)
    before = WorkspaceReader(root).read()
    (planted,) = [each for each in before.symptoms if each.id in symptom_merge.SEEN_BY_STAT]
    looked = KnownSymptom(planted.id, planted.severity, "detected", "seen", "live", before.read_at)
    write(root, paths.RECON_DOC, "# recon\n")
    write(root, paths.REPLAY_RUNS, "")
    after = WorkspaceReader(root).read(time.time())
    shown = symptom_merge.merge(
        after.symptoms,
        RunbookReading((looked,), before.read_at),
        dict.fromkeys(symptom_merge.SEEN_BY_STAT, after.read_at),
        after.read_at,
    )
    assert planted.id not in {each.id for each in shown}
