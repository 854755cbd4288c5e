"""``incident.md``: the incident as a hand-over, for whoever was not there.

What is now, what was seen, why, what was done by whom, how to take it back, every entry of the
journal in one line. Texts from data are made visible, and stand in code spans or tables where
Markdown would read them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined
from pipeline.platform.disk import storage_fault
from runbook.change.preview import step_lines
from runbook.change.undo import last_undoable, plans_of
from runbook.probes.evidence import Cause, Detection, Stance
from runbook.wizard.dialogue import Standing
from runbook.wizard.incident import Incident

PAGE = "incident.md"
_MOST_QUOTED = 20
_NOW = {
    "detected": "Open: seen, and nothing done yet.",
    "diagnosing": "Open: being looked at.",
    "classified": "Open: the cause is named, no way out is chosen yet.",
    "planned": "Open: there is a plan, and nobody has agreed to it.",
    "awaiting_approval": "Open: a rehearsed plan waits for consent.",
    "applying": "Open, in the middle of a change: re-open it, and it is settled by looking at the files.",
    "verifying": "Open: a plan was carried out, and the detector is not green.",
    "resolved": "Resolved: the detector that raised it is green.",
    "mitigated": "Mitigated: the damage is contained, the cause is not repaired.",
    "escalated": "Handed over: somebody else has to go on.",
    "abandoned": "Left as it is.",
}


def write_page(incident: Incident, standing: Standing) -> None:
    """Renew ``incident.md``. Raises StorageError."""
    text = page(incident.id, standing, incident.journal.entries(), str(incident.facts.get("title") or ""))
    try:
        confined.put(incident.folder, PAGE, text.encode())
    except OSError as error:
        kept = "The journal is whole; the page can be made from it."
        raise storage_fault(error, incident.folder / PAGE, kept) from error


def page(incident_id: str, standing: Standing, entries: Sequence[IncidentEntry], title: str) -> str:
    """The page's text."""
    lines = [
        f"# Incident {incident_id}",
        "",
        f"**{_NOW[standing.state]}**",
        "",
        f"- what: {visible(title)}",
        f"- symptom: {standing.symptom_id or 'none; done directly'}",
        f"- opened: {standing.opened_at}",
        f"- owner: {visible(standing.owner)}",
    ]
    if entries:
        lines.append(
            f"- last entry: {entries[-1].recorded_at}, {entries[-1].kind}, by {visible(entries[-1].actor)}"
        )
    if standing.trouble:
        lines.append(f"- trouble: {visible(standing.trouble, 500)}")
    lines += ["", "## What to do next", "", *_next(incident_id, standing, entries)]
    if standing.detection is not None:
        lines += ["", "## What was seen", "", *_detection(standing.detection)]
    if standing.diagnosis is not None:
        lines += ["", "## Why", "", *_cause(standing.diagnosis.cause)]
        for cause in standing.diagnosis.considered:
            lines += ["", f"Set aside: {visible(cause.sentence)} ({cause.confidence})", "", *_evidence(cause)]
    for plan in plans_of(entries):
        lines += ["", f"## Plan {plan.hash[:12]}: {visible(plan.title)}", ""]
        lines += [
            f"made {plan.made_at} by {visible(plan.made_by)}; code {plan.code}; undo: {visible(plan.undo)}",
            "",
        ]
        lines += ["```text", *step_lines(plan), "```"]
        lines += [f"- {visible(note)}" for note in plan.notes]
    if standing.verified is not None:
        lines += ["", "## What the detector said afterwards", "", *_detection(standing.verified)]
    lines += ["", "## The journal", "", "| # | when | what | who | verdict |", "|---|---|---|---|---|"]
    lines += [_row(entry) for entry in entries]
    return "\n".join(lines) + "\n"


def _next(incident_id: str, standing: Standing, entries: Sequence[IncidentEntry]) -> list[str]:
    lines = []
    if not standing.is_over:
        lines.append(f"- go on where it stopped: `distill runbook resume {incident_id}`")
    try:
        undoable = last_undoable(entries)
    except (OperatorError, ValueError):
        undoable = None
    if undoable is not None:
        lines.append(f"- take back “{visible(undoable.title)}”: `distill undo {incident_id}`")
    lines.append(f"- check that this record is whole: `distill incident verify {incident_id}`")
    return lines


def _detection(detection: Detection) -> list[str]:
    lines = [f"{visible(detection.observed)} ({detection.verdict}, from {visible(detection.source)})"]
    if detection.reproduce:
        lines += ["", f"Again: `{visible(detection.reproduce)}`"]
    for each in detection.evidence:
        lines.append(f"- {visible(each.says)} (`{visible(each.source)}`)")
        lines += _quoted(each.lines)
    return lines


def _cause(cause: Cause) -> list[str]:
    lines = [f"{visible(cause.sentence)} ({cause.confidence})", ""]
    lines += [f"- where: `{visible(place)}`" for place in cause.places]
    return [*lines, *_evidence(cause)]


def _evidence(cause: Cause) -> list[str]:
    titles = {Stance.FOR: "for", Stance.AGAINST: "against", Stance.UNKNOWN: "not known"}
    lines = []
    for each in cause.evidence:
        lines.append(f"- {titles[each.stance]}: {visible(each.says)} (`{visible(each.source)}`)")
        lines += _quoted(each.lines)
    return lines


def _quoted(quoted: Sequence[str]) -> list[str]:
    if not quoted:
        return []
    # A fence within would end ours.
    shown = [visible(line, 300).replace("```", "'''") for line in quoted[:_MOST_QUOTED]]
    return ["", "  ```text", *(f"  {line}" for line in shown), "  ```", ""]


def _row(entry: IncidentEntry) -> str:
    what = entry.kind if entry.kind != "state" else f"→ {entry.state}"
    if entry.kind in ("intent", "outcome"):
        what += f" {', '.join(visible(path) for path in list(entry.outputs or entry.inputs)[:3])}"
    said = " ".join(filter(None, (entry.verdict, entry.reason)))
    cells = (str(entry.seq), entry.recorded_at[:19], what, entry.actor, said)
    return "| " + " | ".join(visible(cell, 200).replace("|", "\\|") for cell in cells) + " |"
