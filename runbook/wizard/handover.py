"""The hand-over of an incident: ``incident.md`` for whoever was not there, and the pack to send away.

What is now, what was seen, why, what was done by whom, how to take it back, every entry of the
journal in one line. Texts from data are made visible, and stand in code spans or tables where
Markdown would read them. The pack is a tar with names and bytes alone: no owners, no times, no links.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import IncidentEntry
from pipeline.platform import confined, disk
from pipeline.platform.disk_faults import storage_fault
from pipeline.reading.incidents import FACTS, HEAD, JOURNAL
from runbook.change.incident import Incident
from runbook.change.journal import KEPT
from runbook.change.undo import last_undoable, plans_of
from runbook.probes.evidence import Detection
from runbook.probes.workspace import Workspace
from runbook.tell.blocks import GAP, Block, Fact, Heading, Paragraph, Table
from runbook.tell.cause import detection_blocks, diagnosis_blocks
from runbook.tell.entry import entry_words
from runbook.tell.layout import markdown_lines
from runbook.tell.plan import plan_blocks
from runbook.wizard.dialogue import Standing
from runbook.wizard.to_commit import commit_command

PAGE = "incident.md"
_MOST_QUOTED = 20
_NOW = {
    "detected": "Open: detected, nothing done yet.",
    "diagnosing": "Open: being diagnosed.",
    "classified": "Open: the cause is named, no option is chosen yet.",
    "planned": "Open: there is a plan without consent.",
    "awaiting_approval": "Open: a rehearsed plan waits for consent.",
    "applying": "Open, in the middle of a change: re-open it; the wizard checks the files and continues.",
    "verifying": "Open: a plan was applied, and the detector is not green.",
    "resolved": "Resolved: the detector that raised it is green.",
    "mitigated": "Mitigated: the damage is contained, the cause is not repaired.",
    "escalated": "Handed over: somebody else has to go on.",
    "abandoned": "Closed without a repair.",
}
MOST_KEPT_BYTES = 1 * 2**20


def write_page(incident: Incident, standing: Standing) -> None:
    """Renew ``incident.md``. Raises StorageError."""
    text = page_of(incident, standing)
    try:
        confined.put(incident.folder, PAGE, text.encode())
    except OSError as error:
        kept = "The journal is whole; the page can be made from it."
        raise storage_fault(error, incident.folder / PAGE, kept) from error


def page_of(incident: Incident, standing: Standing, entries: Sequence[IncidentEntry] | None = None) -> str:
    """The page's text, as incident and workspace are now; ``standing`` is that after ``entries``."""
    entries = incident.journal.entries() if entries is None else entries
    to_commit = commit_command(Workspace(incident.root), incident.id, entries) if standing.is_over else ""
    return page(incident.id, standing, entries, str(incident.facts.get("title") or ""), to_commit)


def page(
    incident_id: str, standing: Standing, entries: Sequence[IncidentEntry], title: str, to_commit: str = ""
) -> str:
    """The page's text; ``to_commit`` is the line that records what was repaired, where it is not in HEAD."""
    lines = [f"# Incident {incident_id}", "", f"**{_NOW[standing.state]}**", ""]
    return (
        "\n".join([*lines, *markdown_lines(_blocks(incident_id, standing, entries, title, to_commit))]) + "\n"
    )


def _blocks(
    incident_id: str, standing: Standing, entries: Sequence[IncidentEntry], title: str, to_commit: str
) -> Iterator[Block]:
    yield Fact("what", title)
    yield Fact("symptom", standing.symptom_id or "none; done directly")
    yield Fact("opened", standing.opened_at)
    yield Fact("owner", standing.owner)
    if entries:
        last = entries[-1]
        yield Fact("last entry", f"{last.recorded_at}, {last.kind}, by {last.actor}")
    if standing.trouble:
        yield Fact("trouble", standing.trouble)
    yield Heading("What to do next")
    if to_commit:
        yield Paragraph("The repaired files differ from HEAD: nothing but a commit records them.")
        yield Fact("record them", to_commit, literal=True)
    yield from _next(incident_id, standing, entries)
    if standing.detection is not None:
        yield Heading("What was detected")
        yield from _detection(standing.detection)
    if standing.diagnosis is not None:
        yield Heading("Why")
        diagnosis = standing.diagnosis.model_dump(mode="json")
        yield from diagnosis_blocks(diagnosis, places=_MOST_QUOTED, quoted=_MOST_QUOTED)
    for plan in plans_of(entries):
        yield Heading(f"Plan {plan.hash[:12]}: {plan.title}")
        yield Paragraph(f"made {plan.made_at} by {plan.made_by}; code {plan.code}")
        yield GAP
        is_last = standing.plan is not None and standing.plan.hash == plan.hash
        rehearsal = standing.rehearsal.model_dump(mode="json") if is_last and standing.rehearsal else None
        yield from plan_blocks(plan.model_dump(mode="json"), rehearsal, is_trial=not is_last)
    if standing.verified is not None:
        yield Heading("What the detector said afterwards")
        yield from _detection(standing.verified)
    yield Heading("The journal")
    yield Table(("#", "when", "what", "who", "said"), tuple(_row(entry) for entry in entries))


def _next(incident_id: str, standing: Standing, entries: Sequence[IncidentEntry]) -> Iterator[Block]:
    if not standing.is_over:
        yield Fact("go on where it stopped", f"distill runbook resume {incident_id}", literal=True)
    try:
        undoable = last_undoable(entries)
    except (OperatorError, ValueError):
        undoable = None
    if undoable is not None:
        yield Fact(f"undo “{undoable.title}”", f"distill undo {incident_id}", literal=True)
    yield Fact("check that this record is whole", f"distill incident verify {incident_id}", literal=True)


def _detection(detection: Detection) -> Iterator[Block]:
    yield Fact("verdict", detection.verdict)
    yield from detection_blocks(detection.model_dump(mode="json"), detection.read_at, quoted=_MOST_QUOTED)


def _row(entry: IncidentEntry) -> tuple[str, ...]:
    what = entry.kind if entry.kind != "state" else f"→ {entry.state}"
    return str(entry.seq), entry.recorded_at[:19], what, entry.actor, entry_words(entry)


def export_incident(incident: Incident, target: Path) -> tuple[int, list[str]]:
    """Write the pack to ``target``; returns its size and the kept files that were left out as too large.

    Raises StorageError.
    """
    left_out: list[str] = []
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as pack:
        for name in (JOURNAL, HEAD, FACTS, PAGE):
            if (incident.folder / name).is_file():
                _add(pack, f"{incident.id}/{name}", disk.read_plain(incident.folder / name))
        kept = incident.folder / KEPT
        for path in sorted(kept.iterdir()) if kept.is_dir() else ():
            if path.stat().st_size > MOST_KEPT_BYTES:
                left_out.append(path.name)
            else:
                _add(pack, f"{incident.id}/{KEPT}/{path.name}", disk.read_plain(path))
    data = buffer.getvalue()
    disk.write_file(target, data, parents=False)
    return len(data), left_out


def _add(pack: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    pack.addfile(member, io.BytesIO(data))
