"""S2.drift: a metric of the last audit moved further than it may, and nobody has decided about it.

What moved is read from the audit's report, what was decided since from the baselines: a decision
counts at once, and one that is taken back raises the symptom again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import words_of_loss
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import object_or_empty, objects_of, texts_of
from pipeline.reading.check_report import AUDIT
from pipeline.reading.facts import Facts
from pipeline.reading.past_runs import last_committed
from runbook.actions.rerun_stage import plan_command
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.code_history import code_probe
from runbook.probes.evidence import Detection, Diagnosis, Evidence, Stance
from runbook.probes.journal_copies import BrokenJournal
from runbook.probes.looks import data_probe, detection_from
from runbook.probes.settings_history import settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Question, diagnosed
from runbook.symptoms import glances
from runbook.symptoms.by_report import as_old
from runbook.symptoms.offers import as_tagged, fitting_first
from runbook.symptoms.s1_p4_sft_leak import diagnose as s1_p4_sft_leak
from runbook.symptoms.s2_drift import DEFINITION, ID, JOURNALS, READER, SETTING
from runbook.symptoms.s2_drift.causes import FIELDS, FIREWALL, OTHERS, diagnose, is_decidable
from runbook.symptoms.s2_drift.glance import answer_of, glance, is_flagged
from runbook.symptoms.s2_drift.journals import (
    BROKEN,
    COPIES,
    as_facts,
    evidence_of,
    find_copies,
    journal_offers,
    with_look,
)
from runbook.symptoms.s2_drift.journals import look as look_at_journals

NONE_BROKEN: tuple[list[BrokenJournal], str] = ([], "")
_SECONDS = 60.0
_FIREWALL_SECONDS = 300.0
_MEASURE_SECONDS = 600.0


def detect(workspace: Workspace) -> Detection:
    """What warns in the last audit and is neither accepted nor dismissed. No audit is not known.

    A warning that is older than a change of what was measured is measured again before it rings.
    """
    facts = workspace.facts()
    report = facts.audit
    rows = report.raw.get("drift") if report is not None else None
    check = report.checks.get(JOURNALS) if report is not None else None
    broken = look_at_journals(workspace) if check is not None and check.is_bad else NONE_BROKEN
    if report is None or not isinstance(rows, list):
        return _detection(glance(facts), [], broken=broken[0])
    is_warned = any(map(is_flagged, rows))
    if is_warned and facts.is_touched_since(report.finished_at):
        measured = _measured(workspace)
        # An engine from before it could measure leaves the report, with its age.
        if measured is not None:
            return _undecided(workspace, facts, measured, time.time(), "live", broken)
    return _undecided(workspace, facts, rows, report.finished_at, AUDIT, broken)


def rerun(workspace: Workspace) -> Detection:
    """The same, measured anew where the engine can; nothing is written."""
    measured = _measured(workspace)
    if measured is None:
        return detect(workspace)
    broken = look_at_journals(workspace)
    return _undecided(workspace, workspace.facts(), measured, time.time(), "live", broken)


def _measured(workspace: Workspace) -> list[Any] | None:
    ran = workspace.engine(["baseline", "measure", "--json"], seconds=_MEASURE_SECONDS)
    rows = object_or_empty(ran.stdout).get("drift") if ran.exit_code == ExitCode.OK else None
    return rows if isinstance(rows, list) else None


def _undecided(
    workspace: Workspace,
    facts: Facts,
    rows: list[Any],
    as_of: float | None,
    source: str,
    journals: tuple[list[BrokenJournal], str],
) -> Detection:
    flagged = [row for row in rows if is_flagged(row)]
    since: list[str] = []
    if flagged:
        ran = workspace.engine(["baseline", "list", "--json"], seconds=_SECONDS)
        known = object_or_empty(ran.stdout) if ran.exit_code == ExitCode.OK else {}
        if not known:
            said = f"the baselines could not be read: {ran.reason}"
            return _detection(Answer(Verdict.UNKNOWN, said, as_of, source), [], broken=journals[0])
        flagged = [row for row in flagged if not _is_decided(row, known)]
        values = (known["values"].get(row["metric"]) or {} for row in flagged)
        since = [str(each["recorded_at"]) for each in values if each.get("recorded_at")]
    answer = with_look(as_old(answer_of(flagged, as_of, source), facts), [], journals[1])
    return _detection(answer, flagged, max(since, default=None), broken=journals[0])


def _detection(
    answer: Answer,
    rows: list[dict[str, Any]],
    baseline_at: str | None = None,
    *,
    broken: Sequence[BrokenJournal] = (),
) -> Detection:
    answer = with_look(answer, broken, "")
    seen_at = answer.as_of or time.time()
    moved = (Evidence.of(Stance.FOR, _moved(row), answer.source, seen_at, _moved_by(row)) for row in rows)
    return detection_from(
        ID,
        answer,
        reproduce=f"distill audit-full --check {JOURNALS}" if broken else "distill baseline measure",
        evidence=(*evidence_of(broken, JOURNALS, seen_at), *moved),
        facts={
            BROKEN: as_facts(broken),
            "metrics": [str(row["metric"]) for row in rows],
            "phases": [*sorted({str(row.get("phase")) for row in rows})],
            "baseline_at": baseline_at,
        },
    )


def _is_decided(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether the baselines hold just this value by now, as the new normal or as dismissed."""
    name, current = row["metric"], row.get("current")
    dismissed = known["dismissed"].get(name)
    if dismissed is not None and dismissed["value"] == current:
        return True
    value = known["values"].get(name)
    if current is None:
        return value is None
    return value is not None and value["value"] == current and known["anchors"].get(name) == current


def _moved(row: Mapping[str, Any]) -> str:
    ratio = row.get("delta_ratio")
    moved = f", {ratio:+.1%}" if isinstance(ratio, int | float) else ""
    return f"{row['metric']}: {_from_to(row)}{moved}"


def _moved_by(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{each.get('dimension')} {each.get('name')}: {_from_to(each)}" for each in objects_of(row, "causes")
    )


def _from_to(row: Mapping[str, Any]) -> str:
    return f"{_number(row.get('baseline'))} → {_number(row.get('current'))}"


def _number(value: object) -> str:
    """Counts as counts, shares with what one reads of them; ``none`` where nothing was measured."""
    if not isinstance(value, int | float):
        return "none"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def _firewall(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    seen = s1_p4_sft_leak.detect(workspace)
    return [seen.observed], {"verdict": str(seen.verdict)}


def _fields(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    """What the last run says that rows have no more: a renamed field moves every number behind it."""
    run = last_committed(workspace.root)
    streams = () if run is None else workspace.streams()
    lost = {
        each.name: fields for each in streams if run is not None and (fields := run.lost_fields(each.name))
    }
    told = [words_of_loss(name, fields) for name, fields in lost.items()]
    says = visible("; ".join(told)) or "the rows of every stream have the fields that they had"
    return [says], {"lost": [*sorted(lost)]}


def _others(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    """Which symptoms show, by what files tell, that move numbers by themselves."""
    facts = workspace.facts()
    told = {name: glances()[name](facts) for name in DEFINITION.explained_by if name in glances()}
    shown = {name: each for name, each in told.items() if each is not None and each.is_detected}
    shown = {name: each for name, each in shown.items() if not each.stale}
    lines = [f"{name}: {each.observed}" for name, each in shown.items()]
    says = visible("; ".join(lines)) or "no symptom that moves numbers is detected"
    return [says], {"shown": [*shown]}


NOTE = Question("note", "Why is that so? The next shift reads it.")


def _decision(decision: str, title: str, why: str, metrics: list[str]) -> Offer:
    """``distill baseline accept|dismiss`` appends a row; undo cuts it off again, or revokes it."""

    def make(planning: Planning, answers: Answers) -> Draft:
        chosen = [word for metric in metrics for word in ("--metric", metric)]
        return plan_command(
            planning,
            ["baseline", decision, *chosen, "--note", answers[NOTE.id]],
            title=f"{decision.capitalize()} {', '.join(metrics)}",
            touches=(),
            appends=(str(paths.AUDIT_BASELINES),),
            repeatable=False,
            undo="Cut the appended row off if nothing followed it; otherwise append a row that revokes it.",
        )

    return Offer(decision, title, why, make, (NOTE,))


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """What differs from the last-good tag is put back first; only then may somebody decide.

    Nothing is decided about numbers while the firewall rings or is silent, a field is lost, or another
    symptom explains them.
    """
    metrics = [*texts_of(detection.facts, "metrics")]
    if not metrics or not is_decidable(diagnosis):
        return journal_offers(diagnosis)
    code_cause = diagnosis.cause.id if diagnosis.cause.id != SETTING else READER
    return (
        *fitting_first(as_tagged(diagnosis, code_cause, SETTING), diagnosis.cause.id),
        _decision("dismiss", "Dismiss it once", "it warns again when the value moves again", metrics),
        _decision("accept", "Accept it as the new normal", "later audits compare with this value", metrics),
    )


PROBES = (
    data_probe(FIREWALL, "The firewall, first", _FIREWALL_SECONDS, _firewall),
    data_probe(COPIES, "The journals, and good copies of them", _SECONDS, find_copies),
    data_probe(FIELDS, "Then the fields of the evidence", _SECONDS, _fields),
    data_probe(OTHERS, "Other symptoms that move numbers", _SECONDS, _others),
    settings_probe(),
    code_probe(),
)
SYMPTOM = diagnosed(DEFINITION, detect, diagnose, offers, PROBES, rerun=rerun)
