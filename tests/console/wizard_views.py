"""Wizards that stand still, to draw: made up of the runbook's own parts, at the time of ``states``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.control.wizard_view import Preview, WizardView
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Verdict
from runbook.change.plan import FileState, GitBlob, Plan, Rehearsal, RenameFile, RunCommand, WriteFile
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.symptom import Question
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import Standing, Work, fold
from tests.console.states import NOW, SFT

INCIDENT = "20260427-0837-s1-p4-sft-leak"
NEVER_LIST = "pipeline/stages/export_sft.py"
LEAK = "S1.P4.sft-leak"
RECEIPT = "reports/distillation/20260427T062900Z-9f31/receipts/export.json"


def state(letter: str, size: int) -> FileState:
    return FileState(sha256=letter * 64, bytes=size, mode=0o644)


def _evidence(stance: Stance, says: str, source: str, *lines: str) -> Evidence:
    return Evidence(stance=stance, says=says, source=source, read_at=NOW - 4, lines=lines)


SEEN = Detection(
    symptom_id=LEAK,
    verdict=Verdict.DETECTED,
    observed=f"3 findings in 2764 rows of {SFT}",
    read_at=NOW - 4,
    as_of=NOW - 4,
    evidence=(
        _evidence(Stance.FOR, "label wall: zeroeval_crux/17: needs_human_review", f"{SFT}:2762"),
        _evidence(Stance.FOR, "lineage wall: taubench_airline/bab68815: scored rejected", f"{SFT}:2763"),
        _evidence(Stance.FOR, "content wall: mint_runs/9: text of a rejected run", f"{SFT}:2764"),
        _evidence(Stance.FOR, "label wall: mint_runs/11: \x1b[2J\u202erejected", f"{SFT}:2765"),
    ),
)
WHY = Diagnosis(
    cause=Cause(
        id="loosened",
        sentence="The exporter's never-list lost a category.",
        confidence=Confidence.CERTAIN,
        places=(f"{NEVER_LIST}:41", "73f242e mara: allow reviewed rows"),
        evidence=(
            _evidence(
                Stance.FOR,
                "SFT_NEVER differs from the last-good tag.",
                f"git diff distillation-v1.0.0 -- {NEVER_LIST}",
                "-SFT_NEVER = frozenset((REJECTED, NEEDS_REVIEW))",
                "+SFT_NEVER = frozenset((REJECTED,))",
            ),
            _evidence(Stance.AGAINST, "One of the three rows is of a rejected run.", f"{SFT}:2763"),
            _evidence(Stance.UNKNOWN, "Which process wrote row 2763 is in no log.", RECEIPT),
        ),
    ),
    considered=(
        Cause(
            id="stale_export",
            sentence="The export is just what a run wrote, and its runs were scored again since.",
            confidence=Confidence.UNKNOWN,
            evidence=(_evidence(Stance.AGAINST, "Evidence and verdicts are as then.", RECEIPT),),
        ),
    ),
)
_MADE = {
    "incident_id": INCIDENT,
    "symptom_id": LEAK,
    "made_at": iso_utc(NOW - 3),
    "made_by": "mara",
    "verify": LEAK,
}
QUARANTINE = Plan(
    **_MADE,
    action="quarantine",
    title=f"Quarantine {SFT}",
    steps=(
        RenameFile(path=SFT, to=f"{SFT}.QUARANTINED-1777279264", before=state("4", 4_500_000), says="Rename"),
    ),
    undo="Rename it back.",
    ends="mitigated",
)
RESTORE = Plan(
    **_MADE,
    action="restore",
    title=f"Restore {NEVER_LIST} from distillation-v1.0.0, then export again",
    steps=(
        WriteFile(
            path=NEVER_LIST,
            before=state("8", 4_211),
            after=state("3", 4_226),
            content=GitBlob(oid="a" * 40),
            says="Restore",
        ),
        RunCommand(
            arguments=("export-sft",),
            before={"a": state("a", 1), "b": state("b", 2)},
            says="Run distill export-sft.",
            by_hand="distill export-sft",
        ),
    ),
    tag="distillation-v1.0.0",
    commit="73f242e19b" * 4,
    undo="Put every file that it changes back to the bytes it had, and take new ones away.",
)
DIFFERENCE = (
    f"--- {NEVER_LIST} (now)",
    f"+++ {NEVER_LIST} (then)",
    "@@ -38,7 +38,7 @@",
    " from pipeline.schemas import Category",
    " ",
    " # Whatever a stream says, these never reach a trainer.",
    "-SFT_NEVER = frozenset((Category.REJECTED,))",
    "+SFT_NEVER = frozenset((Category.REJECTED, Category.NEEDS_REVIEW))",
    " ",
)
REHEARSED = Rehearsal(ok=True, took_seconds=2.4, detail="412 files compared: byte-identical after undo")


def entries(*described: tuple[str, str, dict[str, Any]]) -> tuple[IncidentEntry, ...]:
    """A journal of (kind, state, members), a second apart, the last one a second ago."""
    found = []
    for seq, (kind, word, members) in enumerate(described, start=1):
        found.append(
            IncidentEntry.model_validate(
                {
                    "schema_version": 1,
                    "incident_id": INCIDENT,
                    "seq": seq,
                    "prev_hash": None if seq == 1 else "0" * 64,
                    "kind": kind,
                    "state": word,
                    "actor": "mara",
                    "host": "db1",
                    "argv": [],
                    "inputs": {},
                    "outputs": {},
                    "verdict": None,
                    "plan_hash": None,
                    "reason": None,
                    "detail": {},
                    "recorded_at": iso_utc(NOW - 1 - (len(described) - seq)),
                    "hash": "0" * 64,
                    **members,
                }
            )
        )
    return tuple(found)


def contained_first() -> WizardView:
    """Nothing was opened; the rows and what the rename does."""
    standing = Standing(symptom_id=LEAK, detection=SEEN)
    return WizardView(
        symptom_id=LEAK,
        severity=Severity.CRITICAL,
        title="A forbidden row is in an export file",
        standing=standing,
        move=Question(
            wizard.OFFER,
            "Contain it now, or find the cause first?",
            "choice",
            (
                ("quarantine", f"Quarantine {SFT} now"),
                (wizard.DIAGNOSE, "Find the cause first; nothing is changed."),
                (wizard.ESCALATE, "Hand it over: pack what is known for somebody else."),
            ),
        ),
        preview=Preview(QUARANTINE, is_trial=True),
    )


def to_contain() -> WizardView:
    """The quarantine's plan waits for its digits."""
    standing = Standing(
        incident_id=INCIDENT,
        symptom_id=LEAK,
        state="planned",
        opened_at=iso_utc(NOW - 4) or "",
        owner="mara",
        detection=SEEN,
        plan=QUARANTINE,
    )
    return replace(
        contained_first(),
        incident_id=INCIDENT,
        standing=standing,
        move=wizard.consent_question(QUARANTINE, None),
        preview=Preview(QUARANTINE),
    )


def to_repair() -> WizardView:
    """The cause is named; a plan with a difference, rehearsed, waits for consent."""
    standing = replace(
        to_contain().standing, state="awaiting_approval", diagnosis=WHY, plan=RESTORE, rehearsal=REHEARSED
    )
    return replace(
        to_contain(),
        standing=standing,
        move=wizard.consent_question(RESTORE, REHEARSED),
        preview=Preview(RESTORE, DIFFERENCE),
    )


def _opened(plan: Plan) -> list[tuple[str, str, dict[str, Any]]]:
    named = {"plan_hash": plan.hash}
    detail = {"detection": SEEN.model_dump(mode="json"), "symptom_id": LEAK}
    return [
        ("opened", "detected", {"verdict": "detected", "detail": detail}),
        (
            "classified",
            "classified",
            {"verdict": "loosened", "detail": {"diagnosis": WHY.model_dump(mode="json")}},
        ),
        ("note", "classified", {"detail": {"offer": "restore"}}),
        ("planned", "planned", {**named, "detail": {"plan": plan.model_dump(mode="json")}}),
        (
            "state",
            "awaiting_approval",
            {**named, "verdict": "rehearsed", "detail": {"rehearsal": REHEARSED.model_dump(mode="json")}},
        ),
        ("consent", "applying", {**named, "reason": "never-list was loosened"}),
    ]


def _step(kind: str, number: int, files: tuple[str, ...], **detail: Any) -> tuple[str, str, dict[str, Any]]:
    return (
        kind,
        "applying",
        {
            "plan_hash": RESTORE.hash,
            "verdict": "done" if kind == "outcome" else None,
            "outputs": dict.fromkeys(files, "3" * 64),
            "argv": ["distill", "export-sft"] if number == 1 else [],
            "detail": {"step": number, "before": {}, "after": {}, **detail},
        },
    )


def _journal(*more: tuple[str, str, dict[str, Any]], **changes: Any) -> WizardView:
    found = entries(*_opened(RESTORE), *more)
    return replace(to_repair(), standing=fold(found), entries=found, preview=Preview(RESTORE), **changes)


def applying() -> WizardView:
    """The first step is done, the engine runs, in a worker of this console."""
    return _journal(
        _step("intent", 0, (NEVER_LIST,)),
        _step("outcome", 0, (NEVER_LIST,), done=True),
        _step("intent", 1, (SFT,)),
        move=Work.APPLY,
        running=True,
    )


def cut_off() -> WizardView:
    return replace(applying(), running=False, move=Work.SETTLE)


def resolved() -> WizardView:
    clear = SEEN.model_copy(
        update={"verdict": Verdict.CLEAR, "observed": f"CLEAR: 2761 rows of {SFT}", "evidence": ()}
    )
    said = {
        "plan_hash": RESTORE.hash,
        "verdict": "clear",
        "detail": {"detection": clear.model_dump(mode="json")},
    }
    return _journal(
        _step("intent", 0, (NEVER_LIST,)),
        _step("outcome", 0, (NEVER_LIST,), done=True),
        _step("intent", 1, (SFT,)),
        _step("outcome", 1, (SFT, "exports/manifest.json"), done=True),
        ("verified", "resolved", said),
        move=None,
        undoable=RESTORE.title,
    )


class StillDesk:
    """A control that has one view, and lets nobody act."""

    def __init__(self, view: WizardView) -> None:
        self._view = view

    def look(self) -> WizardView:
        return self._view

    def let_go(self) -> None:
        """Nothing is held."""
