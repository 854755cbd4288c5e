"""What the runbook's detectors said, in every state that its screen has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.state.derive import advance
from console.state.runbook_state import KnownSymptom, RunbookReading, parse
from console.state.view_state import RunbookHeard, ViewState
from pipeline.reading.incidents import IncidentGlance
from tests.console import states
from tests.console.runbook_answers import answer, symptom
from tests.console.states import NOW

AUDIT = "reports/distillation/phase8-full-audit-report.json"
LOOKED = NOW - 12
HOURS = 3600.0


def _known(*, detected: bool) -> tuple[KnownSymptom, ...]:
    word = "detected" if detected else "clear"
    live: dict[str, Any] = {"as_of": LOOKED}
    audited: dict[str, Any] = {"source": AUDIT, "live": False}
    rows = (
        symptom(
            "S1.P4.sft-leak", word, severity="critical", title="Forbidden rows are in the SFT export",
            observed="3 findings in 2764 rows of exports/sft/instruction_response.jsonl" if detected
            else "CLEAR: 2761 rows of exports/sft/instruction_response.jsonl",
            what_you_see="The firewall says BREACH: rows that no trainer may see lie in the live SFT file.",
            why="Whatever is trained from this file learns from runs that were rejected.",
            causes=[
                {"id": "other_writer", "sentence": "A writer other than the exporter added rows."},
                {"id": "stale_export", "sentence": "Runs were scored again, and the export was not."},
                {"id": "schema_loosened", "sentence": "The schema takes labels that it must refuse."},
            ],
            by_hand=[
                {"says": "Take the file away from trainers. One rename, nothing is deleted.",
                 "command": "mv -n exports/sft/instruction_response.jsonl{,.QUARANTINED-$(date +%s)}"},
                {"says": "Export again, then scan again; only CLEAR closes this.",
                 "command": "distill run-all && distill firewall"},
            ],
            phases=["P4"], checks=["P4.sft-firewall", "A13"], reproduce="distill firewall", **live,
        ),
        symptom("ENGINE.wont-start", severity="critical", title="The engine does not start",
                observed="it starts", **live),
        symptom("S1.P0.recon-doc", observed="docs/recon/local-distillation-recon.md is there", **live),
        symptom(
            "S1.P1.schema", word, title="A schema changed under its version",
            observed="sft.quality_score takes needs_human_review (same version)" if detected
            else "schemas, lock and golden rows agree",
            **live,
        ),
        symptom(
            "S1.P5.summary", word, title="Receipts do not match what is on disk",
            observed="P5.receipts-match: exports/sft/instruction_response.jsonl has 2,764 rows, not 2,761"
            if detected else "P5.summary-valid, P5.receipts-match: pass",
            explained_by=["S1.P1.schema", "S1.P4.sft-leak"], as_of=NOW - 2 * HOURS, **audited,
        ),
        symptom(
            "S1.P6.acceptance", title="An invariant fails", observed="P6.acceptance: pass",
            as_of=NOW - 50 * HOURS, **audited,
        ),
        symptom(
            "S1.P7.replay", "unknown", title="Replays are refused, or find nothing",
            observed="no audit has run yet", as_of=None, **audited,
        ),
        symptom(
            "S2.drift", word, severity="warning", title="A metric moved further than it may",
            observed="acceptance_rate moved" if detected else "every warning is decided",
            as_of=NOW - 2 * HOURS, **audited,
        ),
        symptom("S6.replay-log", severity="warning", observed="data/_kb/replay_runs.jsonl has 0.4 MB; the "
                "threshold is 100 MB", **live),
        symptom("S1.P0.source-missing", severity="info", observed="every tier-1 stream has rows", **live),
    )  # fmt: skip
    return parse(answer(*rows).encode())


_MARA = IncidentGlance(
    "20260427-0833-s1-p4-sft-leak", "awaiting_approval", "S1.P4.sft-leak", "mara", NOW - 480, NOW - 60, "",
    "Forbidden rows are in the SFT export",
)  # fmt: skip


def heard(reading: RunbookReading, state: ViewState | None = None) -> ViewState:
    return advance(state or states.healthy(), RunbookHeard(reading), NOW)


def none() -> ViewState:
    """All looked, and nothing shows; two reports are missing or old."""
    return heard(RunbookReading(_known(detected=False), LOOKED, 0.9))


def detected() -> ViewState:
    """A breach that somebody is on, what it explains beneath it, and drift."""
    reading = RunbookReading(_known(detected=True), LOOKED, 0.9, incidents=(_MARA,))
    return heard(reading, states.breach())


def never() -> ViewState:
    """The console has just started: nobody has looked."""
    return heard(RunbookReading())


def looking() -> ViewState:
    """A look is at work, and an older answer stands."""
    known = tuple(replace(each, as_of=NOW - 900) if each.as_of else each for each in _known(detected=False))
    return heard(RunbookReading(known, NOW - 900, 0.9, looking_since=NOW - 3))


def broken() -> ViewState:
    """The detectors do not answer; what they said before stands, and is called old."""
    trouble = (
        "The runbook's detectors did not answer: exit 1, SyntaxError: invalid syntax (s2_drift.py, line 40).",
        "Nothing was changed; what stands here is older, or from the console's own detectors.",
        "Try it by hand: distill runbook detect",
    )
    reading = RunbookReading(_known(detected=True), NOW - 900, 0.9, trouble=trouble)
    return heard(reading, states.breach())
