"""The exports that stand are looked at before anything replaces one: a run must not erase a breach.

The firewall is started when the run begins and works beside it. On a breach the bytes and the
findings are kept beside the run's report, and once the new file is committed the old bytes stand as
``.QUARANTINED-<epoch>``, which is one more rename of the same commit. If nothing is committed, the
file and the alarm stand. Such a run ends with 10, and with 3 when the firewall gave no answer. So does
one that leaves the exports of a breach alone: they stand, and so does their alarm.

Scoring again can make a standing export wrong, which ``score`` tells at once. The export that follows
is then the cure: it keeps the bytes all the same, warns, and ends with 0.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts import events, paths
from pipeline.contracts.faults import ExitCode, InputError, OperatorError, StorageError, worst
from pipeline.engine import export_manifest, last_clear
from pipeline.engine.emit import Emitted
from pipeline.engine.intent import Rename
from pipeline.engine.output import Output
from pipeline.engine.receipts import encode
from pipeline.engine.run_session import Session
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.firewall import (
    Absent,
    Answer,
    Breach,
    Clear,
    Question,
    Report,
    Unknown,
    start_firewall,
)
from pipeline.settings.model import Settings
from pipeline.storage.digests import READ_BYTES

SFT = str(paths.SFT_EXPORT)
_EXPORTS = tuple(map(str, paths.EXPORT_FILES.values()))
_SCORED_AGAIN = "scored again: rows that it holds are not allowed any more"
_SHOWN = 10
_JUDGED = (paths.EXPORTS, paths.EVIDENCE, paths.SCORED_RUNS)
_KEPT = "Nothing was replaced; what stands is as it was."


class StandingExport:
    """The exports that a run replaces, from its begin to its commit.

    ``replaced`` are their paths. ``exit_code`` is final once ``look`` has returned.
    """

    def __init__(self, session: Session, settings: Settings, replaced: Sequence[str]) -> None:
        self._session = session
        self._replaced = tuple(replaced)
        self.export = SFT if SFT in replaced else self._replaced[0]
        self.exit_code = ExitCode.OK
        self.is_in_doubt = False  # there was a breach, or no answer
        self._is_clear = False  # what stood when the run began
        self._aside: dict[str, str] = {}  # sha256 of the bytes of each export that was kept for its breach
        self._question: Question | None = None
        with session.interruptible():
            self._digests = last_clear.digests_now(session.workspace, settings)
        if not last_clear.stands_anything(session.workspace):
            self._is_clear = True  # of what is not there nothing is forbidden
        elif last_clear.is_last_clear(session.workspace, self._digests):
            self._is_clear = True
        else:
            self._question = start_firewall(session.workspace)

    def look(self) -> None:
        """Wait for the firewall, and keep the bytes that a run must not lose. Raises StorageError."""
        question, self._question = self._question, None
        if question is None:
            return
        answer = question.answer(self._session.check_stop)
        self.is_in_doubt = isinstance(answer, Breach | Unknown)
        match answer:
            case Clear():
                if self._digests and self._digests.get(SFT) == answer.report.sha256:
                    self._is_clear = True
                    last_clear.remember_clear(self._session.workspace, self._digests)
            case Absent():
                self._is_clear = True
            case Unknown():
                self.exit_code = ExitCode.NOT_EVALUABLE
                self._keep(answer)
                self._tell(answer, f"the standing {self.export} was not judged: {answer.why}")
            case Breach():
                self._breach(answer)

    def abandon(self) -> None:
        """The run ends for another reason."""
        if self._question is not None:
            self._question.abandon()

    def remember_clear(self, emitted: Sequence[Emitted], placed: Sequence[Rename]) -> None:
        """What was called CLEAR before it was committed stands now, with all that it was judged by.

        ``placed`` are the files of the commit. Only a run that found nothing amiss knows what it left alone.
        """
        if not self._is_clear or self._digests is None:
            return
        staged = {output.relative: output.sha256 for result in emitted for output in result.outputs}
        for folder in (f"{paths.EVIDENCE}/", f"{paths.SCORED_RUNS}/"):
            standing = {name for name in self._digests if name.startswith(folder)}
            if any(name.startswith(folder) for name in staged) and standing - staged.keys():
                return  # a file stands there that the staged one was not judged by
        staged |= {rename.target: rename.sha256 for rename in placed}
        judged = {name: sha256 for name, sha256 in staged.items() if _is_looked_at(name)}
        last_clear.remember_clear(self._session.workspace, {**self._digests, **judged})

    def quarantine(self, emitted: Sequence[Emitted]) -> list[Rename]:
        """The rename that lets the old bytes stand aside when another file takes their place."""
        written = {output.relative: output.sha256 for result in emitted for output in result.outputs}
        return [
            self._set_aside(export, sha256)
            for export, sha256 in self._aside.items()
            if written.get(export) not in (None, sha256)
        ]

    def _set_aside(self, export: str, sha256: str) -> Rename:
        epoch = int(time.time())
        while (target := Path(f"{self._session.workspace / export}{paths.QUARANTINE_MARK}{epoch}")).exists():
            epoch += 1
        staged = self._session.staging / target.relative_to(self._session.workspace)
        disk.make_folder(staged.parent)
        # Another copy: whoever renames it back and writes on leaves what was kept as it is.
        self._copy(str(paths.kept_export(self._session.pipeline_run_id, export)), staged)
        self._session.warn(f"the old bytes stand as {target.relative_to(self._session.workspace)}")
        workspace = self._session.workspace
        return Rename(str(staged.relative_to(workspace)), str(target.relative_to(workspace)), sha256)

    def _breach(self, answer: Breach) -> None:
        workspace, report = self._session.workspace, answer.report
        concerned = self._concerned(report)
        is_told = report.cause == "stale_export" and _told_by_score(workspace, report.sha256)
        self.exit_code = ExitCode.OK if is_told else ExitCode.FIREWALL_BREACH
        if concerned and not set(concerned) & set(self._replaced):
            held = " and ".join(concerned)
            self._session.warn(f"ALARM: the standing {held} holds {report.found}; this run left it alone")
            return
        digests = self._keep(answer, concerned)
        self._aside |= {export: sha256 for export in concerned if (sha256 := digests[export]) is not None}
        cause = f", cause {report.cause}" if report.cause else ""
        told = " (told by score already)" if is_told else ""
        held = " and ".join(concerned) or self.export
        self._tell(answer, f"the standing {held} held {report.found}{cause}{told}", [*self._aside])
        if not is_told:
            export_manifest.void(workspace, f"the standing export held {report.found}")

    def _concerned(self, report: Report) -> list[str]:
        """The exports that hold forbidden rows; of an answer that names none the one it was asked of."""
        if report.forbidden_files and not report.forbidden_rows:
            return []
        named = [str(export) for export in paths.EXPORT_FILES.values() if report.by_file.get(str(export))]
        return named or [self.export]

    def _keep(self, answer: Answer, concerned: Sequence[str] = ()) -> dict[str, str | None]:
        """Copy the bytes, not a link to them: whoever writes to the file goes on writing to it.

        Returns the digest of each export, None for one that has gone meanwhile. An answer whose bytes
        cannot be kept is told all the same.
        """
        session, digests = self._session, dict[str, str | None]()
        try:
            keep_answer(session, self.export, answer)
            for export in (self.export, *concerned):
                if export not in digests:
                    kept = session.workspace / paths.kept_export(session.pipeline_run_id, export)
                    disk.make_folder(kept.parent)
                    digests[export] = self._copy(export, kept)
        except StorageError as error:
            why = f"standing file, not kept: {error.fault.what_happened}"
            emit_state(session, answer, self.export, detail=why)
            raise
        return digests

    def _copy(self, relative: Path | str, target: Path) -> str | None:
        hasher, path = hashlib.sha256(), self._session.workspace / relative
        try:
            with (
                confined.opened(self._session.workspace, relative) as source,
                disk.replacing(target) as descriptor,
            ):
                size, room = os.fstat(source).st_size, os.fstatvfs(descriptor)
                if size > room.f_bavail * room.f_frsize:  # a disk that is filled first stops others, too
                    raise OSError(errno.ENOSPC, f"its {size:,} bytes do not fit")
                while data := disk.read_some(source, READ_BYTES, path):
                    hasher.update(data)
                    disk.write_all(descriptor, data)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_faults.storage_fault(error, target, _KEPT) from error
        return hasher.hexdigest()

    def _tell(self, answer: Answer, words: str, exports: Sequence[str] = ()) -> None:
        """``exports`` are those whose bytes were kept; without them the one that was asked of."""
        run_id = self._session.pipeline_run_id
        kept = " and ".join(str(paths.kept_export(run_id, each)) for each in exports or [self.export])
        emit_state(self._session, answer, self.export, detail=f"standing file, kept as {kept}")
        self._session.warn(f"{words}; kept as {kept}")


@contextlib.contextmanager
def standing_export(
    session: Session, settings: Settings, replaced: Sequence[str] = _EXPORTS
) -> Iterator[StandingExport]:
    """The look beside the block. A block that fails says of the alarm, too, and ends with its code."""
    standing = StandingExport(session, settings, replaced)
    try:
        yield standing
    except OperatorError as error:
        standing.look()
        error.exit_code = ExitCode(worst((error.exit_code, standing.exit_code)))
        raise
    finally:
        standing.abandon()


class Rescored:
    """The standing export by the verdicts that ``score`` has staged, before they are committed."""

    def __init__(self, session: Session, settings: Settings, emitted: Sequence[Emitted]) -> None:
        workspace = session.workspace
        self.exit_code = ExitCode.OK
        self._session = session
        self._digests: last_clear.Digests | None = None
        if not (workspace / SFT).exists():
            return
        staged = {output.relative: output for result in emitted for output in result.outputs}
        verdicts = {name: output.sha256 for name, output in staged.items() if _is_verdicts(name)}
        with session.interruptible():
            digests = last_clear.digests_now(workspace, settings, verdicts)
        if last_clear.is_last_clear(workspace, digests):
            return
        question = start_firewall(workspace, scored=_verdict_files(workspace, staged))
        answer = question.answer(session.check_stop)
        match answer:
            case Clear():
                if digests and digests.get(SFT) == answer.report.sha256:
                    self._digests = digests
            case Absent():
                pass
            case Unknown():
                self.exit_code = ExitCode.NOT_EVALUABLE
                session.warn(f"the standing {SFT} was not judged by the new verdicts: {answer.why}")
            case Breach(report):
                self.exit_code = ExitCode.FIREWALL_BREACH
                cause = f" ({report.cause})" if report.cause else ""
                held = " and ".join(each for each in _EXPORTS if report.by_file.get(each)) or SFT
                session.warn(f"ALARM: by the new verdicts the standing {held} holds {report.found}{cause}")
        if self.exit_code is not ExitCode.OK:
            keep_answer(session, SFT, answer)
            emit_state(session, answer, SFT, detail="standing file, judged by the new verdicts")

    def voided_manifest(self) -> bytes | None:
        """The exports' manifest as it reads with these verdicts; None when it stays as it is."""
        if self.exit_code is not ExitCode.FIREWALL_BREACH:
            return None
        return export_manifest.voided(self._session.workspace, _SCORED_AGAIN)

    def committed(self) -> None:
        """The verdicts stand now."""
        if self._digests is not None:
            last_clear.remember_clear(self._session.workspace, self._digests)


def keep_answer(session: Session, export: str, answer: Answer) -> None:
    """Put what the firewall said beside the run's report. Raises StorageError."""
    said = {**answer.report.said, "state": answer.state}
    if isinstance(answer, Unknown):
        said["detail"] = answer.why
    confined.write_file(session.workspace, paths.kept_answer(session.pipeline_run_id, export), encode(said))


def emit_state(
    session: Session, answer: Answer, export: str, *, detail: str, sha256: str | None = None
) -> None:
    """What the firewall answered, as an event of the run."""
    report = answer.report
    why = f"{detail}: {answer.why}" if isinstance(answer, Unknown) else detail
    session.events.emit(
        events.FirewallState,
        state=answer.state,
        file=export,
        rows_read=report.rows_read,
        findings_count=report.findings_count,
        forbidden_rows=report.forbidden_rows,
        forbidden_files=report.forbidden_files,
        by_wall=report.by_wall,
        findings=tuple(
            events.FirewallFinding.model_validate(dict(finding)) for finding in report.findings[:_SHOWN]
        ),
        sha256=sha256 or report.sha256,
        cause=report.cause,
        detail=why,
    )


def _told_by_score(workspace: Path, sha256: str | None) -> bool:
    """Whether the manifest of just these bytes was voided by ``score``; unreadable, it says nothing."""
    try:
        manifest = export_manifest.standing(workspace)
    except InputError:
        return False
    if manifest is None or manifest.get("void_reason") != _SCORED_AGAIN or sha256 is None:
        return False
    name = paths.SFT_EXPORT.relative_to(paths.EXPORTS).as_posix()
    return any(
        isinstance(entry, dict) and (entry.get("path"), entry.get("sha256")) == (name, sha256)
        for entry in manifest["files"]
    )


def _is_looked_at(relative: str) -> bool:
    if paths.QUARANTINE_MARK in relative:
        return False
    return relative.startswith(tuple(f"{folder}/" for folder in _JUDGED))


def _is_verdicts(relative: str) -> bool:
    return relative.startswith(f"{paths.SCORED_RUNS}/")


def _verdict_files(workspace: Path, staged: dict[str, Output]) -> list[Path]:
    """Each file of verdicts as it will stand after the commit."""
    found = {relative: workspace / relative for relative in last_clear.judged_rows(workspace)}
    for relative, output in staged.items():
        found[relative] = Path(output.staged) if output.staged else workspace / relative
    return [path for relative, path in sorted(found.items()) if _is_verdicts(relative)]
