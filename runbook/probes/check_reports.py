"""What the checks said: the last reports with their age, and the same checks asked again.

A report is as old as its audit. Green stands until the next one, with its age; a red that is
older than a change of what it judged is looked at again before it rings, so that a repair by
whatever hand silences it, and an old report raises nothing that is not so any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Verdict, epoch_seconds
from pipeline.platform.lenient_json import object_in, object_or_empty, objects_of
from pipeline.platform.process import Ended
from runbook.probes.evidence import Detection, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Detector
from runbook.wizard.asked_again import AskedAgain
from runbook.wizard.touched import is_touched_since

AUDIT = str(paths.AUDIT_REPORT.with_suffix(".json"))
ACCEPTANCE = str(paths.ACCEPTANCE_REPORT.with_suffix(".json"))
CHECK_SECONDS = 600.0
_GATE = "P6.acceptance"


@dataclass(frozen=True)
class SeenCheck:
    """One check as it was last told. ``as_of`` is seconds since the epoch; ``source`` is the
    report's path, or the command that was run just now."""

    id: str
    phase: str
    required: bool
    status: str
    detail: str
    observed: str
    examples: tuple[str, ...]
    as_of: float | None
    source: str

    @property
    def is_red(self) -> bool:
        return self.status == "fail"

    @property
    def is_blind(self) -> bool:
        return self.status in ("error", "not_evaluated")


@dataclass(frozen=True)
class CheckReport:
    """A report of checks. ``raw`` is all of it, for what only one symptom reads."""

    checks: dict[str, SeenCheck]
    finished_at: float | None
    source: str
    raw: Mapping[str, Any] = field(default_factory=dict)

    def red(self, ids: Iterable[str]) -> list[str]:
        return [each for each in ids if each in self.checks and self.checks[each].is_red]


def last_audit(workspace: Workspace) -> CheckReport | None:
    """The last report of ``distill audit-full``; None when there is none that can be read."""
    return _read(workspace, AUDIT)


def last_acceptance(workspace: Workspace) -> CheckReport | None:
    """The last report of ``distill acceptance``: A01 to A22."""
    return _read(workspace, ACCEPTANCE)


def look_again(
    workspace: Workspace, ids: Sequence[str], *, seconds: float = CHECK_SECONDS
) -> dict[str, SeenCheck]:
    """The checks anew, by the engine in use; no report is written.

    A check that the engine did not answer for is ``error``. Raises SettingsError when the
    workspace's own engine may not be run.
    """
    found: dict[str, SeenCheck] = {}
    for command, chosen in (
        ("audit-full", [each for each in ids if not each.startswith("A")]),
        ("acceptance", [each for each in ids if each.startswith("A")]),
    ):
        if chosen:
            words = [word for each in chosen for word in ("--check", each)]
            ran = workspace.engine([command, *words, "--json"], seconds=seconds)
            found |= _asked(ran, command, chosen)
    return found


def red_again(workspace: Workspace, report: CheckReport) -> dict[str, SeenCheck]:
    """The report's red checks anew, all in one go: several symptoms ask, and none waits twice.

    The gate is left out. It takes its time, and its symptoms look at its invariants themselves.
    """
    red = tuple(
        each.id for each in report.checks.values() if each.required and each.is_red and each.id != _GATE
    )
    return _AGAIN.answer(workspace, red, lambda: look_again(workspace, red)) if red else {}


_AGAIN = AskedAgain[dict[str, SeenCheck]]()


def by_checks(symptom_id: str, checks: Sequence[str]) -> tuple[Detector, Detector]:
    """Two detectors for a symptom that these checks tell: by the last audit, and anew."""

    def detect(workspace: Workspace) -> Detection:
        report = last_audit(workspace)
        if report is None:
            return _unknown(symptom_id, checks, "there is no audit to read it from")
        seen = {each: report.checks[each] for each in checks if each in report.checks}
        if report.red(checks) and is_touched_since(workspace, report.finished_at):
            again = red_again(workspace, report)
            seen |= {each: again[each] for each in checks if each in again}
        return detection_of(symptom_id, checks, seen)

    def rerun(workspace: Workspace) -> Detection:
        return detection_of(symptom_id, checks, look_again(workspace, checks))

    return detect, rerun


def detection_of(symptom_id: str, checks: Sequence[str], seen: Mapping[str, SeenCheck]) -> Detection:
    """Red where one check fails; not known where none fails and one could not look."""
    now = time.time()
    red = [each for each in seen.values() if each.is_red]
    blind = [each for each in seen.values() if each.is_blind]
    if red:
        verdict, observed = Verdict.DETECTED, "; ".join(f"{each.id}: {each.detail}" for each in red)
    elif blind or not seen:
        said = "; ".join(f"{each.id} {each.status}: {each.detail}" for each in blind)
        verdict, observed = Verdict.UNKNOWN, said or f"{', '.join(checks)}: not in the last audit"
    else:
        verdict, observed = Verdict.CLEAR, f"{', '.join(seen)}: pass"
    told = red or blind or list(seen.values())
    ages = [each.as_of for each in told if each.as_of is not None]
    return Detection(
        symptom_id=symptom_id,
        verdict=verdict,
        observed=observed,
        read_at=now,
        as_of=min(ages) if ages else None,
        source=told[0].source if told else AUDIT,
        reproduce=_command(red[0].id if red else checks[0]),
        evidence=tuple(
            Evidence(
                stance=Stance.FOR,
                says=f"{each.id} fails: {each.detail}",
                source=each.source,
                read_at=now,
                lines=each.examples,
            )
            for each in red
        ),
        facts={"checks": [each.id for each in red]},
    )


def _read(workspace: Workspace, name: str) -> CheckReport | None:
    raw = object_in(workspace.root / name)
    if raw is None or not isinstance(raw.get("checks"), list):
        return None
    finished = epoch_seconds(raw.get("finished_at"))
    return CheckReport(_checks(raw, finished, name), finished, name, raw)


def _asked(ran: Ended, command: str, ids: Sequence[str]) -> dict[str, SeenCheck]:
    now = time.time()
    source = f"distill {command}"
    known = _checks(object_or_empty(ran.stdout), now, source)
    why = ran.reason
    if ran.exit_code == ExitCode.LOCKED:
        why = f"the workspace is busy: {ran.last_words}"
    missing = {
        each: SeenCheck(each, each.split(".")[0], True, "error", why, "", (), now, source)
        for each in ids
        if each not in known
    }
    return known | missing


def _checks(raw: Mapping[str, Any], as_of: float | None, source: str) -> dict[str, SeenCheck]:
    found = (_seen(row, as_of, source) for row in objects_of(raw, "checks"))
    return {each.id: each for each in found}


def _seen(row: Mapping[str, Any], as_of: float | None, source: str) -> SeenCheck:
    listed = row.get("examples")
    examples = tuple(_example(each) for each in listed) if isinstance(listed, list) else ()
    words = {name: str(row.get(name) or "") for name in ("id", "phase", "status", "detail", "observed")}
    return SeenCheck(
        words["id"],
        words["phase"],
        row.get("required") is True,
        words["status"],
        words["detail"],
        words["observed"],
        examples,
        as_of,
        source,
    )


def _example(example: object) -> str:
    if not isinstance(example, dict):
        return str(example)
    place = ":".join(str(example[name]) for name in ("file", "line") if example.get(name) is not None)
    rest = [str(value) for name, value in example.items() if name not in ("file", "line") and value]
    return " ".join([place, *rest]).strip()


def _unknown(symptom_id: str, checks: Sequence[str], why: str) -> Detection:
    return Detection(
        symptom_id=symptom_id,
        verdict=Verdict.UNKNOWN,
        observed=why,
        read_at=time.time(),
        as_of=None,
        source=AUDIT,
        reproduce=_command(checks[0]),
    )


def _command(check: str) -> str:
    return f"distill {'acceptance' if check.startswith('A') else 'audit-full'} --check {check}"
