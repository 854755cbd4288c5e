"""The last run's own claims against the disk: summary, receipts, outputs, sources.

Each file is pinned by another one: the summary by the run's event log, receipts by the summary,
outputs and sources by the receipts. The engine's own code is not asked; it may be what is broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import objects_of, read_tail, rows
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes
from runbook.change.files import state_of
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.symptoms.claims import last_change, output_difference, read_json, source_difference

PROBE = "claims"
_TITLE = "The last run's claims against the disk"
# The last event is small; whatever lies before it is not asked.
_TAIL_BYTES = 64 * 2**10
_STAGES = ("materialize", "score", "export")
_EXPORTED = (
    paths.RAG_EXPORT,
    paths.SFT_EXPORT,
    paths.PREFERENCE_EXPORT,
    paths.RAG_QUARANTINE,
    paths.SFT_QUARANTINE,
    paths.PREFERENCE_QUARANTINE,
)

Kind = Literal["summary", "receipt", "output", "source", "unclaimed"]


class Differing(Record):
    """A file that is not what pins it says. ``says`` is the difference, in words."""

    path: str
    kind: Kind
    says: str
    pinned_by: str
    last_written: str = ""


class RunClaims(Record):
    """``summary_is_pinned``: the event log holds a digest to hold the summary to."""

    pipeline_run_id: str | None
    finished_at: str = ""
    summary_is_pinned: bool = False
    examined: int = 0
    differing: tuple[Differing, ...] = ()

    def of(self, *kinds: Kind) -> tuple[Differing, ...]:
        return tuple(each for each in self.differing if each.kind in kinds)


def claims_probe() -> Probe:
    """The probe that finds ``RunClaims``."""
    return record_probe(PROBE, _TITLE, 120.0, lambda workspace, _: run_claims(workspace.root), _lines)


def _lines(claims: RunClaims) -> list[str]:
    examined = f"run {claims.pipeline_run_id}: {plural(claims.examined, 'file')} held to what pins them"
    return [examined, *(f"{each.kind} {each.path}: {each.says}" for each in claims.differing)]


def run_claims(root: Path) -> RunClaims:
    """Hash what the run claims. Raises OSError."""
    run_id = _last_run(root)
    if run_id is None:
        return RunClaims(pipeline_run_id=None)
    shown = str(paths.summary_file(run_id))
    summary = read_json(root, shown)
    pinned = _digest_in_events(root, run_id)
    found: list[Differing] = []
    examined = 1
    if pinned and (state := state_of(root, shown)).sha256 != pinned:
        says = "is missing" if state.is_absent else "is not what the run wrote, by its event log"
        found.append(_differing(root, shown, "summary", says, str(paths.events_file(run_id))))
    stages = {str(each.get("stage")): each for each in objects_of(summary, "stages")}
    receipts = {}
    for stage in _STAGES:
        receipt = str(paths.receipts_folder(run_id) / f"{stage}.json")
        examined += 1
        state, claimed = state_of(root, receipt), stages.get(stage, {}).get("sha256")
        if state.is_absent:
            found.append(_differing(root, receipt, "receipt", "is missing", shown))
        elif claimed and state.sha256 != claimed:
            found.append(_differing(root, receipt, "receipt", "has another digest than claimed", shown))
        receipts[stage] = receipt
    for claim, kind, receipt in _claims(root, receipts):
        examined += 1
        says = source_difference(root, claim) if kind == "source" else output_difference(root, claim)
        if says:
            found.append(_differing(root, str(claim.get("path")), kind, says, receipt))
    found += _unclaimed(root, receipts["export"])
    return RunClaims(
        pipeline_run_id=run_id,
        finished_at=str(summary.get("finished_at") or ""),
        summary_is_pinned=pinned is not None,
        examined=examined,
        differing=tuple(found),
    )


def _last_run(root: Path) -> str | None:
    """The run whose outputs stand: the one that the engine remembers, else the newest."""
    remembered = read_json(root, str(paths.RUN_STATE)).get("pipeline_run_id")
    if isinstance(remembered, str) and (root / paths.run_folder(remembered)).is_dir():
        return remembered
    names = RunReports(root).newest_first(Notes())
    return next((name for name in names if (root / paths.events_file(name)).is_file()), None)


def _digest_in_events(root: Path, run_id: str) -> str | None:
    """The digest that the run's last event gives of its summary."""
    data = read_tail(root / paths.events_file(run_id), _TAIL_BYTES)
    lines = data.splitlines() if isinstance(data, bytes) else []
    for event in rows(reversed(lines[-5:])):
        if event.get("type") == "run.finished":
            digest = event.get("summary_sha256")
            return digest if isinstance(digest, str) and len(digest) == 64 else None
    return None


def _claims(root: Path, receipts: dict[str, str]) -> Iterator[tuple[dict[str, Any], Kind, str]]:
    for stage, receipt in receipts.items():
        value = read_json(root, receipt)
        for claim in objects_of(value, "outputs"):
            yield claim, "output", receipt
        if stage == "materialize":
            for claim in objects_of(value, "inputs"):
                yield claim, "source", receipt


def _unclaimed(root: Path, receipt: str) -> list[Differing]:
    """Exports that stand and that the export's receipt does not speak of."""
    claimed = {claim.get("path") for claim in objects_of(read_json(root, receipt), "outputs")}
    return [
        _differing(
            root, str(path), "unclaimed", "stands, and the last export's receipt has no claim", receipt
        )
        for path in _EXPORTED
        if claimed and str(path) not in claimed and (root / path).is_file()
    ]


def _differing(root: Path, path: str, kind: Kind, says: str, pinned_by: str) -> Differing:
    when, _ = last_change(root / path)
    return Differing(path=path, kind=kind, says=says, pinned_by=pinned_by, last_written=when)
