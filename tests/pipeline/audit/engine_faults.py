"""Faults of the engine itself: a workspace that runs its own engine, with one edit in it.

The gate is asked for the invariants that the edit concerns, to save the rest of its half minute;
its report is handed on to the audit, where anything less than 22 passes is red.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline
from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.platform.engine_choice import choose_engine, trust_what_we_made

PACKAGE = Path(str(pipeline.__file__)).parent


@dataclass(frozen=True)
class EngineFault:
    """``old`` stands once in ``file`` (below ``pipeline/``) and becomes ``new``."""

    name: str
    title: str
    aims_at: str
    file: str
    old: str
    new: str
    invariants: tuple[str, ...]


ENGINE_FAULTS: tuple[EngineFault, ...] = (
    EngineFault(
        "sft-never-emptied",
        "`SFT_NEVER` emptied",
        "P6.acceptance",
        "stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        "SFT_NEVER: frozenset[str] = frozenset()",
        ("A13",),
    ),
    EngineFault(
        "schema-loosened",
        "the schema's type loosened, the version unchanged",
        "P1.versions-pinned",
        "schemas/sft.py",
        'quality_score: Literal["accepted", "partially_accepted"]',
        'quality_score: Literal["accepted", "partially_accepted", "rejected"]',
        ("A03",),
    ),
    EngineFault(
        "scorer-threshold-lowered",
        "the scorer's threshold lowered",
        "P6.acceptance",
        "stages/score.py",
        "rule = deciding_rule(signals, thresholds)",
        "rule = deciding_rule(signals, thresholds.model_copy(update={'partial_at': 0.3}))",
        ("A10",),
    ),
    EngineFault(
        "stage-reads-the-clock",
        "a stage that reads the clock",
        "P6.acceptance",
        "stages/score.py",
        "    found: dict[str, float] = {}\n",
        '    found: dict[str, float] = {"clock": __import__("time").time() % 1}\n',
        ("A19",),
    ),
    EngineFault(
        "fixture-count-off-by-one",
        "the acceptance fixture's expected counts off by one",
        "P6.acceptance",
        "acceptance/fixture/expected.json",
        '"accepted": 9,',
        '"accepted": 10,',
        ("A09",),
    ),
)


def with_own_engine(workspace: Path) -> Path:
    """Give the workspace its own copy of the engine."""
    shutil.copytree(PACKAGE, workspace / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    settings = workspace / paths.SETTINGS
    settings.write_text(f'[engine]\nsource = "workspace"\n\n{settings.read_text("utf-8")}', encoding="utf-8")
    return workspace


def plant(fault: EngineFault, workspace: Path) -> None:
    path = workspace / "pipeline" / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.file} does not hold what {fault.name} edits, once"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    trust_what_we_made(workspace)


def by_own_engine(workspace: Path, *arguments: str) -> dict[str, Any]:
    """The JSON that a command of the workspace's own engine prints."""
    finished = subprocess.run(
        [*engine_argv(arguments), "--json", "-C", str(workspace)],
        env=choose_engine(workspace).environment(),
        capture_output=True,
        check=False,
    )
    assert finished.stdout, finished.stderr.decode()
    report: dict[str, Any] = json.loads(finished.stdout)
    assert finished.returncode == report["exit_code"]
    return report


def audited(fault: EngineFault | None, workspace: Path) -> dict[str, Any]:
    """The audit by the workspace's engine, with a report of the gate by that engine."""
    asked = fault.invariants if fault is not None else ("A13",)
    report = by_own_engine(workspace, "acceptance", *(f"--check={name}" for name in asked))
    handed_on = workspace.parent / "acceptance.json"
    handed_on.write_text(json.dumps(report), encoding="utf-8")
    return by_own_engine(workspace, "audit-full", "--acceptance-report", str(handed_on))
