"""The state of a command that runs checks: its last report, and its event stream while it works.

Audit, acceptance and the release's gates all write a report (``.json``) and, beside it, events.
A reader is kept and asked again; on a quiet workspace it only stats the two files. Garbage
costs what it damaged and never more. Whether a stream without an end is still written is told
by its process, because a killed one leaves the same file behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.platform.identity import host_name, is_running
from pipeline.platform.lenient_json import (
    count_of,
    flag_of,
    number_of,
    object_of,
    objects_of,
    read_bytes,
    rows,
    stamp_of,
    text_of,
    texts_of,
)
from pipeline.reading.check_report import Check, read_check
from pipeline.reading.report_files import Notes, read_object

Word = Literal["never", "unreadable", "done", "running", "died"]
MOST_CHECKS = 2_000


@dataclass(frozen=True, slots=True)
class CheckRun:
    """``as_of`` is when the report was finished; ``reported`` counts the running stream's results."""

    command: str
    word: Word = "never"
    ok: bool | None = None
    exit_code: int | None = None
    verdict: str = ""
    as_of: float | None = None
    elapsed_seconds: float | None = None
    checks: tuple[Check, ...] = ()
    reported: int = 0
    started: float | None = None
    pid: int | None = None
    user: str = ""
    trouble: str = ""
    notes: tuple[str, ...] = ()
    tag: str = ""
    git_head: str = ""
    engine_digest: str = ""


@dataclass(frozen=True, slots=True)
class _Stream:
    """The events beside a report. ``ended`` when the last one is there."""

    started: float | None = None
    pid: int | None = None
    host: str = ""
    user: str = ""
    ended: float | None = None
    exit_code: int | None = None
    fault: str = ""
    checks: tuple[Check, ...] = ()


_NO_STREAM = _Stream()


class CheckRunReader:
    """Reads one command's two files below ``root``. ``read`` blocks for milliseconds."""

    def __init__(self, root: Path, command: str, report: PurePosixPath, events: PurePosixPath) -> None:
        self._root = root
        self._command = command
        self._report, self._events = report, events
        self._seen: tuple[object, object] = (None, None)
        self._run = CheckRun(command)
        self._stream = _NO_STREAM

    def read(self) -> CheckRun:
        """What is known now."""
        seen = (stamp_of(self._root / self._report), stamp_of(self._root / self._events))
        if seen != self._seen:
            self._seen = seen
            self._run = _of_report(self._root, self._command, self._report)
            self._stream = _read_stream(self._root / self._events)
        return _with_stream(self._run, self._stream)


def audit_reader(root: Path) -> CheckRunReader:
    return CheckRunReader(root, "audit-full", paths.AUDIT_DATA, paths.AUDIT_EVENTS)


def acceptance_reader(root: Path) -> CheckRunReader:
    return CheckRunReader(root, "acceptance", paths.ACCEPTANCE_DATA, paths.ACCEPTANCE_EVENTS)


def release_reader(root: Path) -> CheckRunReader:
    return CheckRunReader(root, "release-freeze", paths.RELEASE_FREEZE_DATA, paths.RELEASE_FREEZE_EVENTS)


def _of_report(root: Path, command: str, relative: PurePosixPath) -> CheckRun:
    notes = Notes()
    report = read_object(root, relative, notes)
    if report is None:
        trouble = notes.lines[0] if notes.lines else ""
        return CheckRun(command, "unreadable" if trouble else "never", trouble=trouble)
    as_of = next(
        (known for key in ("finished_at", "recorded_at") if (known := epoch_seconds(report.get(key)))), None
    )
    checks = tuple(
        read_check(found, as_of, str(relative)) for found in objects_of(report, "checks")[:MOST_CHECKS]
    )
    return CheckRun(
        command,
        "done" if checks or flag_of(report, "ok") is not None else "unreadable",
        ok=flag_of(report, "ok"),
        exit_code=count_of(report, "exit_code"),
        verdict=text_of(report, "verdict") or "",
        as_of=as_of,
        elapsed_seconds=number_of(report, "elapsed_seconds"),
        checks=checks,
        started=epoch_seconds(report.get("started_at")),
        trouble="" if checks else f"{relative} holds no checks",
        notes=texts_of(report, "notes"),
        tag=text_of(report, "tag") or "",
        git_head=text_of(object_of(report, "git"), "head") or "",
        engine_digest=text_of(object_of(report, "engine"), "digest") or "",
    )


def _read_stream(path: Path) -> _Stream:
    data = read_bytes(path)
    if not isinstance(data, bytes):
        return _NO_STREAM
    stream = _NO_STREAM
    checks: dict[str, Check] = {}
    for event in rows(data.split(b"\n")):
        kind, at = event.get("type"), epoch_seconds(event.get("at"))
        if kind == "run.started":
            checks = {}
            stream = _Stream(
                at,
                count_of(event, "pid"),
                text_of(event, "host") or "",
                text_of(event, "user") or "",
            )
        elif kind == "check.result" and len(checks) < MOST_CHECKS:
            check = read_check(object_of(event, "check"), at, str(path))
            checks[check.id] = check
        elif kind == "run.finished":
            fault = text_of(object_of(event, "fault"), "what_happened") or ""
            stream = replace(stream, ended=at, exit_code=count_of(event, "exit_code"), fault=fault)
    return replace(stream, checks=tuple(checks.values()))


def _with_stream(run: CheckRun, stream: _Stream) -> CheckRun:
    """The report with what its stream knows better: a stream that began after the report's end."""
    if stream.started is None or (run.as_of is not None and stream.started <= run.as_of):
        return run
    fresh = {check.id: check for check in stream.checks}
    waiting = tuple(replace(check, pending=True) for check in run.checks if check.id not in fresh)
    known = replace(
        run,
        checks=(*stream.checks, *waiting),
        reported=len(fresh),
        started=stream.started,
        pid=stream.pid,
        user=stream.user,
    )
    if stream.ended is not None:
        return replace(
            known,
            word="died",
            ok=False,
            exit_code=stream.exit_code,
            trouble=stream.fault or f"ended with exit {stream.exit_code} and left no report",
        )
    if _is_at_work(stream):
        return replace(known, word="running")
    return replace(known, word="died", ok=None, trouble="the process ended without a result")


def _is_at_work(stream: _Stream) -> bool:
    """On another host only its events can tell; without an end they say that it works."""
    if stream.pid is None:
        return False
    if stream.host and stream.host != host_name():
        return True
    return is_running(stream.pid, stream.started)
