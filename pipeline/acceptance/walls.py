"""A13 and A14: nothing forbidden in SFT. Each wall is left standing alone; laundered rows are planted,
and items of a test set.

The exporter's never-list and the schema's type are the engine's; the firewall is the installed
one, as always, whichever engine is in use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.acceptance import evaluation_items, forged_files
from pipeline.acceptance.engine_runs import (
    TIME_LIMIT_SECONDS,
    environment,
    forked,
    must_end_with,
    take_firewall_away,
)
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.laundering import Planted, planted_rows
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.written import MAY_BE_TRAINED_ON, Written
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import plural
from pipeline.platform.firewall import Unknown, ask_firewall

NEVER_LIST, SCHEMA, FIREWALL = "never_list", "schema", "firewall"
WALLS = (NEVER_LIST, SCHEMA, FIREWALL)
_NO_WALL = "none"
# How the quarantine names what each wall of the engine refused.
_REASON = {NEVER_LIST: "category_not_allowed", SCHEMA: "schema_refused"}


def jobs(scene: Scene) -> list[Job]:
    def alone(wall: str) -> Job:
        return Job(f"wall_{wall}", lambda: _run_with_one_wall(scene, wall))

    return [
        *(alone(wall) for wall in (*WALLS, _NO_WALL)),
        Job("laundering", lambda: _scan_laundered_rows(scene), after=("base",)),
        *evaluation_items.jobs(scene, scan),
        *forged_files.jobs(scene, scan),
    ]


# A13


def _without(walls: set[str]) -> Callable[[], None]:
    """Takes walls away from the process that it is called in."""

    def change() -> None:
        from pipeline.engine import row_builder
        from pipeline.stages import export_sft

        if not hasattr(export_sft, "SFT_NEVER"):
            raise RuntimeError("the exporter has no SFT_NEVER any more")
        if NEVER_LIST in walls:
            export_sft.SFT_NEVER = frozenset()
        if SCHEMA in walls:
            # A name that nobody reads any more would take no wall away, and prove nothing.
            if "refusal_of_sft" not in vars(row_builder):
                raise RuntimeError("the schema is not asked in pipeline/engine/row_builder.py any more")
            vars(row_builder)["refusal_of_sft"] = lambda _row, _line: None
        if FIREWALL in walls:
            take_firewall_away()

    return change


def _run_with_one_wall(scene: Scene, wall: str) -> dict[str, Any]:
    name = f"wall-{wall}"
    workspace = scene.install(name)
    ended = forked(
        scene.root,
        name,
        scene.run_all(workspace, "--workers", "1"),
        change=_without(set(WALLS) - {wall}),
    )
    if wall != FIREWALL:
        must_end_with(ended, ExitCode.OK, f"a run with the wall `{wall}` alone")
    return {"exit_code": ended.exit_code, "said": ended.reason}


def _forbidden_in_sft(written: Written) -> list[dict[str, Any]]:
    return [
        row
        for row in written.rows(paths.SFT_EXPORT)
        if written.category.get(row["source_run_id"]) not in MAY_BE_TRAINED_ON
    ]


def _firewall_blocks(scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    rows = scene.base.rows(paths.SFT_EXPORT)
    leaked = {row["source_run_id"] for row in _forbidden_in_sft(scene.base)}
    for row in rows:
        tally.look(
            row["source_run_id"] not in leaked,
            "a run that may not be trained on",
            file=str(paths.SFT_EXPORT),
            line=row["_line"],
            run_id=row["source_run_id"],
        )
    if not rows:
        tally.wrong("the SFT export is empty", file=str(paths.SFT_EXPORT))
    for wall, reason in _REASON.items():
        written = scene.variant(f"wall-{wall}")
        leaks = _forbidden_in_sft(written)
        tally.look(not leaks, f"the wall `{wall}` alone let {plural(len(leaks), 'forbidden run')} through")
        refused = [row for row in written.rows(paths.SFT_QUARANTINE) if row["reason"] == reason]
        tally.look(bool(refused), f"the wall `{wall}` alone refused no run as {reason}")
    alone = results(f"wall_{FIREWALL}")
    tally.look(
        alone["exit_code"] == ExitCode.FIREWALL_BREACH,
        f"the firewall alone: exit {alone['exit_code']} instead of 10: {alone['said']}",
    )
    standing = sorted(
        path for path in scene.variant(f"wall-{FIREWALL}").outputs() if path.startswith("exports/")
    )
    tally.look(not standing, f"the firewall alone: {', '.join(standing[:3])} appeared all the same")
    # Without any wall the same runs do get through: it is the walls that hold them back.
    through = _forbidden_in_sft(scene.variant(f"wall-{_NO_WALL}"))
    tally.look(bool(through), "nothing forbidden gets through even without walls, so this proves nothing")
    items = evaluation_items.judge_exporter(scene, tally)
    return tally.outcome(
        f"{len(rows)} SFT rows; each of 3 walls alone against {plural(len(through), 'forbidden row')}; "
        f"{plural(items, 'run')} with items of a test set"
    )


# A14


def _scan_laundered_rows(scene: Scene) -> dict[str, Any]:
    workspace = scene.copy_of_base("laundering")
    before = scan(scene, workspace, "laundering-before")
    planted = planted_rows(scene.base)
    sft = workspace / paths.SFT_EXPORT
    lines = sft.read_bytes().count(b"\n")
    descriptor = os.open(sft, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, b"".join(row.line + b"\n" for row in planted))
    finally:
        os.close(descriptor)
    return {"before": before, "after": scan(scene, workspace, "laundering-after"), "lines": lines}


def scan(scene: Scene, workspace: Path, name: str) -> dict[str, Any]:
    """What the installed firewall says of a workspace; its whole report is kept as ``name``."""
    answer = ask_firewall(
        workspace,
        limit_seconds=TIME_LIMIT_SECONDS,
        environment=environment(scene.root),
        cwd=scene.root.current_directory,
    )
    (scene.root.said / f"{name}.out").write_text(json.dumps(answer.report.said), encoding="utf-8")
    return {
        "state": answer.state,
        "why": answer.why if isinstance(answer, Unknown) else "",
        "evaluation": answer.report.said.get("evaluation"),
        "files": [[finding["file"], finding["line"], finding["wall"]] for finding in answer.report.findings],
        "found": [
            [finding["line"], finding["wall"], finding["detail"]] for finding in answer.report.findings
        ],
    }


def _sees_laundering(scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    said = results("laundering")
    before, after = said["before"], said["after"]
    tally.look(
        before["state"] == "CLEAR",
        f"the clean file is {before['state']} {before['why']}: {before['found'][:1]}",
    )
    tally.look(after["state"] == "BREACH", f"planted rows: {after['state']} {after['why']} instead of BREACH")
    walls: dict[int, set[str]] = {}
    for line, wall, _ in after["found"]:
        walls.setdefault(line, set()).add(wall)
    planted: list[Planted] = planted_rows(scene.base)
    for line, row in enumerate(planted, said["lines"] + 1):
        seen = walls.pop(line, set())
        tally.look(
            row.wall in seen,
            f"{row.how} is not seen by the wall `{row.wall}` (seen by: {', '.join(sorted(seen)) or 'none'})",
            file=str(paths.SFT_EXPORT),
            line=line,
        )
    for line in sorted(walls):
        tally.wrong("a clean row is called forbidden", file=str(paths.SFT_EXPORT), line=line)
    items = evaluation_items.judge_firewall(scene, results(evaluation_items.JOB), tally)
    forged = forged_files.judge(results(forged_files.JOB), tally)
    return tally.outcome(
        f"{len(planted)} planted rows among {said['lines']} clean ones; "
        f"{plural(items, 'row')} with items of a test set; {plural(forged, 'forgery')} in other files"
    )


INVARIANTS = {
    "A13": Invariant(
        ("base", *(f"wall_{wall}" for wall in (*WALLS, _NO_WALL)), evaluation_items.JOB), _firewall_blocks
    ),
    "A14": Invariant(("base", "laundering", evaluation_items.JOB, forged_files.JOB), _sees_laundering),
}
