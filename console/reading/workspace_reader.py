"""Read a workspace from its files alone into one ``WorkspaceStatus``.

Nothing is imported from the engine and nothing is written. A damaged report costs its own pane
and a note, never the rest. A reader is kept and asked again: it remembers summaries, digests
and git's answers, so that a second look at a quiet workspace only stats files.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from console.reading import phase_verdicts
from console.reading.drift_report import read_drift
from console.reading.engine_code import EngineCode
from console.reading.git_facts import GitReader
from console.reading.report_basis import code_moved_since, moved_since
from console.reading.row_counts_report import firewall_of_receipt, rows_of_summary
from console.state.detectors import answers_at, definitions
from console.state.symptoms_now import showing
from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.shell_words import joined
from pipeline.contracts.status import (
    EngineStatus,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    WorkspaceStatus,
)
from pipeline.platform.engine_choice import choose_engine
from pipeline.platform.lenient_json import Json, flag_of, object_of, read_bytes, text_of
from pipeline.reading import reach, staleness
from pipeline.reading.facts import FactReader, Facts
from pipeline.reading.firewall_words import NO_SUCH_FILE
from pipeline.reading.latest_run import LatestRun, Moved
from pipeline.reading.lock_facts import read_lock
from pipeline.reading.past_runs import read_receipts
from pipeline.reading.report_files import Notes, read_object
from pipeline.reading.run_rows import run_rows
from pipeline.reading.settings_glance import read_settings
from pipeline.reading.source_files import unread_logs
from pipeline.reading.symptom_log import read_looks

# A longer document is not read to see whether it says anything.
_SHORT_BYTES = 64 * 1024
_RUN_PHASES = ("P2", "P3", "P4")
_SPEAKS_FOR = {
    paths.AUDIT_DATA: ("P1", "P7", "P8"),
    paths.ACCEPTANCE_DATA: ("P6",),
    paths.REPLAY_RUNS: ("P7",),
    paths.RELEASE_MANIFEST: ("P9",),
}
NOT_SEEN = -1


class WorkspaceReader:
    """Blocking: a screen calls ``read`` in a thread, one at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._git = GitReader(root)
        self._facts = FactReader(root)
        self._engine = EngineCode(root)

    def read(self, now: float | None = None) -> WorkspaceStatus:
        """The status at ``now`` (default: the clock).

        Raises OSError, in words and with the path that refuses, when nothing can be read.
        """
        now = time.time() if now is None else now
        try:
            reach.check_folder(self.root)
            return self._read(now)
        except OSError as error:
            raise type(error)(reach.in_words(error, self.root)) from error

    def _read(self, now: float) -> WorkspaceStatus:
        lock = read_lock(self.root, now)
        facts = self._facts.read(now, settled=not (lock.held or lock.open_intent))
        notes, latest, moved = self._facts.notes, facts.latest, facts.moved
        audit = facts.audit.raw if facts.audit is not None else None
        engine = self._engine.digest()
        audit_moved = moved_since(audit, latest, moved, engine)
        firewall = self._firewall(latest, now)
        answers = answers_at(replace(facts, firewall=firewall), read_looks(self.root, notes))
        phases = self._phases(facts, audit_moved, engine, now, notes)
        return WorkspaceStatus(
            workspace=str(self.root),
            name=facts.settings.name,
            read_at=now,
            phases=phase_verdicts.looked_at_since(phases, definitions(), answers),
            rows=self._rows(latest, moved, now),
            firewall=firewall,
            drift=read_drift(self.root, audit, str(paths.AUDIT_DATA), now, audit_moved, notes),
            symptoms=showing(answers, now),
            lock=lock,
            git=self._git.read(facts.settings.last_good_tag, now),
            engine=engine_status(self.root, latest.summary, self._engine.choice),
            runs=run_rows(self._facts.runs, self._facts.run_ids, lock, notes),
            notes=tuple(notes.lines),
            answers=answers,
        )

    def _phases(
        self, facts: Facts, audit_moved: str, engine: str | None, now: float, notes: Notes
    ) -> tuple[PhaseStatus, ...]:
        found = [_p0(self.root, now)]
        latest, moved = facts.latest, facts.moved
        if facts.audit is not None:
            found += phase_verdicts.of_audit(
                facts.audit.raw, source=str(paths.AUDIT_DATA), now=now, changed=audit_moved
            )
        found += self._of_run(latest, moved, now, notes)
        if facts.acceptance is not None:
            acceptance = facts.acceptance.raw
            changed = code_moved_since(acceptance, engine)
            found.append(
                phase_verdicts.of_acceptance(
                    acceptance, source=str(paths.ACCEPTANCE_DATA), now=now, changed=changed
                )
            )
        replayed = phase_verdicts.of_replay_log(facts.replays, source=str(paths.REPLAY_RUNS), now=now)
        if replayed is not None:
            found.append(replayed)
        release = read_object(self.root, paths.RELEASE_MANIFEST, notes)
        if release is not None:
            changed = moved_since(release, latest, moved, engine)
            found.append(
                phase_verdicts.of_release(
                    release, source=str(paths.RELEASE_MANIFEST), now=now, changed=changed
                )
            )
        return phase_verdicts.unread(phase_verdicts.latest_of_each(found), _unread(notes, latest))

    def _of_run(self, latest: LatestRun, moved: Moved, now: float, notes: Notes) -> list[PhaseStatus]:
        """P2 to P4 from receipts (those of a newer, failed run too), and P5 from how they fit."""
        stages = [
            phase_verdicts.of_receipt(
                receipt.phase,
                receipt.body,
                source=receipt.relative,
                now=now,
                changed=moved.sources if receipt.phase == "P2" else moved.anything,
            )
            for receipt in latest.receipts
            if receipt.phase in _RUN_PHASES
        ]
        if latest.failed_by_itself:
            failed, _ = read_receipts(self.root, latest.summary or {}, notes)
            stages += [
                phase_verdicts.of_receipt(receipt.phase, receipt.body, source=receipt.relative, now=now)
                for receipt in failed
                if receipt.phase in _RUN_PHASES and flag_of(receipt.body, "ok") is False
            ]
        if latest.faults:
            p5 = phase_verdicts.verdict("P5", PhaseState.FAIL, source=str(paths.REPORTS), as_of=now, now=now)
            return [*stages, replace(p5, detail=latest.faults[0])]
        if latest.good is None or latest.hidden:
            return stages
        p5 = phase_verdicts.verdict(
            "P5",
            PhaseState.OK,
            source=str(paths.summary_file(latest.good_id)),
            as_of=latest.finished_at,
            now=now,
            changed=moved.outputs,
        )
        return [*stages, replace(p5, detail="receipts are as summed; digests need an audit")]

    def _rows(self, latest: LatestRun, moved: Moved, now: float) -> RowCounts:
        if latest.good is None:
            return RowCounts(Origin(why=latest.hidden or "no run has committed yet: distill run-all"))
        freshness = staleness.of_verdict(latest.finished_at, now, inputs_changed=bool(moved.anything))
        source = str(paths.summary_file(latest.good_id))
        counted = rows_of_summary(
            self.root, latest.good, Origin(source, latest.finished_at, freshness, moved.anything)
        )
        return replace(counted, unread_logs=unread_logs(self.root, read_settings(self.root, Notes())))

    def _firewall(self, latest: LatestRun, now: float) -> FirewallStatus:
        """What is known without a scan: a missing file, or what the last export's receipt said.

        Where a link leads is for the firewall to say.
        """
        live_file = self.root / paths.SFT_EXPORT
        try:
            live_file.lstat()
        except OSError as error:
            if error.errno not in reach.GONE:
                why = reach.in_words(error, self.root)
                origin = Origin("live", now, Freshness.UNKNOWN, why)
                return FirewallStatus(FirewallWord.UNKNOWN, origin, str(paths.SFT_EXPORT), detail=why)
            return FirewallStatus(
                FirewallWord.ABSENT,
                Origin("live", now, Freshness.FRESH),
                str(paths.SFT_EXPORT),
                detail=NO_SUCH_FILE,
            )
        return firewall_of_receipt(next((r for r in latest.receipts if r.stage == "export"), None))


def engine_status(
    root: Path, summary: Json | None = None, choice: EngineChoice | None = None
) -> EngineStatus:
    """Which engine runs here, and the version that the latest run reported. ``choice``, where it was just
    made: all files of a workspace's own engine are looked at for it.
    """
    version = text_of(object_of(summary, "engine"), "version") or ""
    if not (root / paths.SETTINGS).is_file():  # a FIFO in its place would block whoever opens it
        return EngineStatus(why="distill.toml is missing or no regular file", version=version)
    try:
        choice = choice or choose_engine(root, to_run=False)
    except OperatorError as error:
        return EngineStatus(
            "workspace", str(root), "engine.source", refused=error.fault.what_happened, version=version
        )
    if choice.untrusted:
        told = f"{choice.untrusted}; the installed engine answers: {joined(['distill', 'trust', str(root)])}"
        return EngineStatus("workspace", str(root), "engine.source", refused=told, version=version)
    directory = str(choice.directory) if choice.directory else None
    return EngineStatus(choice.source, directory, choice.why, version=version)


def _p0(root: Path, now: float) -> PhaseStatus:
    size = _size_of_text(root / paths.RECON_DOC)
    word = PhaseState.OK if size else PhaseState.FAIL
    phase = phase_verdicts.verdict("P0", word, source="live", as_of=now, now=now)
    if size == NOT_SEEN:
        return replace(phase, state=PhaseState.UNKNOWN, detail=f"{paths.RECON_DOC} cannot be read")
    if size:
        return phase
    return replace(phase, detail=f"{paths.RECON_DOC} is {'missing' if size is None else 'empty'}")


def _unread(notes: Notes, latest: LatestRun) -> dict[str, str]:
    """Phases on which a report may speak that cannot be read, with the reason."""
    known = {
        phase: f"{relative} cannot be read: {notes.unreadable[str(relative)]}"
        for relative, phases in _SPEAKS_FOR.items()
        if str(relative) in notes.unreadable
        for phase in phases
    }
    return {**known, **dict.fromkeys((*_RUN_PHASES, "P5"), latest.hidden)} if latest.hidden else known


def _size_seen(path: Path) -> int | None:
    """The size of a file; None for none, ``NOT_SEEN`` where the system does not let us look."""
    try:
        return path.stat().st_size
    except OSError as error:
        return None if error.errno in reach.GONE else NOT_SEEN


def _size_of_text(path: Path) -> int | None:
    """The size of a document; 0 for one that holds nothing but white space."""
    size = _size_seen(path)
    if size is None or size > _SHORT_BYTES:
        return size
    data = read_bytes(path, most_bytes=_SHORT_BYTES)
    if not isinstance(data, bytes):
        return size
    return size if data.strip() else 0
