"""Ask the installed firewall: one question, four answers, and nothing but CLEAR is clear.

The firewall runs as a process of its own, from the installation, on files. Whatever keeps it from
answering (killed, out of time, out of descriptors or memory, not to be started, a report that
contradicts itself) is ``Unknown`` with the reason, whoever asks. An alarm outranks everything else
that was said: neither a wrong exit code nor a lost report silences it.

Rows, findings and lines are different numbers: a row with two findings is one forbidden row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_argv, firewall_environment, installed_package
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.finding_words import found_in_words
from pipeline.contracts.untrusted import visible
from pipeline.platform.code_digest import code_digest, code_stamps
from pipeline.platform.lenient_json import Json, count_of, object_of, objects_of, text_of

if TYPE_CHECKING:
    from pipeline.platform.process import How, Running

# One look may take this long, and a second more for so many bytes that it has to read: a start on a busy
# machine, and a fortieth of the speed that docs/benchmarks.md measures.
LIMIT_SECONDS = 20.0
BYTES_A_SECOND = 4_000_000
_READ = (paths.EXPORTS, paths.EVIDENCE, paths.SCORED_RUNS)
_FIRST_OF_A_FAULT = "what happened"
MOST_REPORT_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Report:
    """What the firewall said, read leniently. ``said`` is all of it; counts are at least 0.

    ``forbidden_files`` are files that a finding concerns as a whole, such as one without a receipt.
    ``by_file`` names the exports and the first other files; ``more_files`` counts the rest.
    """

    said: Json = field(default_factory=dict)
    rows_read: int = 0
    forbidden_rows: int = 0
    forbidden_files: int = 0
    findings_count: int = 0
    by_wall: Mapping[str, int] = field(default_factory=dict)
    by_file: Mapping[str, int] = field(default_factory=dict)
    more_files: int = 0
    findings: tuple[Json, ...] = ()
    sha256: str | None = None
    cause: str | None = None
    detail: str = ""

    @property
    def found(self) -> str:
        """``1 forbidden row (2 findings)``; what was not counted is never called none."""
        return found_in_words(self.forbidden_rows, self.forbidden_files, self.findings_count)


@dataclass(frozen=True)
class Clear:
    """The file was read to its end, by a whole index, and nothing was found."""

    report: Report
    state: str = "CLEAR"


@dataclass(frozen=True)
class Absent:
    """There is no live file: nothing was examined, which is not CLEAR."""

    report: Report
    state: str = "ABSENT"


@dataclass(frozen=True)
class Breach:
    """The alarm. The report's counts are 0 when only the exit code got through."""

    report: Report
    state: str = "BREACH"


@dataclass(frozen=True)
class Unknown:
    """No answer, and one line why. The report is what was said all the same."""

    why: str
    report: Report = field(default_factory=Report)
    state: str = "UNKNOWN"


Answer = Clear | Absent | Breach | Unknown


class Question:
    """The firewall at work. It ends with ``answer`` or ``abandon``."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def answer(self, check: Callable[[], None] | None = None) -> Answer:
        """Wait for the verdict. ``check`` may raise, which ends the firewall and goes on.

        It has a whole limit from now: until now others worked beside it, and it may have waited for them.
        """
        self._running.count_from_now()
        ended = self._running.wait(check)
        return judged(ended.exit_code, ended.stdout, ended.stderr, ended.why)

    def abandon(self) -> None:
        """Stop looking: the answer is not needed any more."""
        self._running.end()


def start_firewall(
    workspace: Path | None,
    *,
    limit_seconds: float | None = None,
    file: Path | None = None,
    evidence: Sequence[Path] = (),
    scored: Sequence[Path] = (),
    keep: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
) -> Question:
    """Let the firewall look at ``file``, or else at the live export of ``workspace``.

    ``keep`` is where it keeps for itself what it found clear. ``evidence`` and ``scored`` are files or
    folders to judge by; by default the workspace's own. It has the time of ``look_seconds``, and no more
    than ``limit_seconds``.
    """
    arguments = ["--json", *(("-C", str(workspace)) if workspace is not None else ())]
    for option, places in (("--evidence-dir", evidence), ("--scored-dir", scored)):
        for place in places:
            arguments += [option, str(place)]
    if keep is not None:
        arguments += ["--keep", str(keep)]
    if file is not None:
        arguments.append(str(file))
    limit = look_seconds(workspace, [*evidence, *scored, *([file] if file is not None else ())])
    return Question(
        started(
            arguments,
            limit_seconds=limit if limit_seconds is None else min(limit, limit_seconds),
            cwd=cwd,
            env=firewall_environment(environment),
            keep_bytes=MOST_REPORT_BYTES,
        )
    )


def started(arguments: Sequence[str], **how: Unpack[How]) -> Running:
    """The firewall at work."""
    from pipeline.platform.prepared_firewall import (
        asked,  # with what starts a process: who reads words starts none
    )
    from pipeline.platform.process import Running

    return asked(arguments, **how) or Running(firewall_argv(arguments), **how)


def look_seconds(workspace: Path | None, others: Iterable[Path] = ()) -> float:
    """How long a look may take that reads a workspace and ``others``: past it the answer is not known."""
    read = [*others, *(workspace / folder for folder in _READ if workspace is not None)]
    return round(LIMIT_SECONDS + sum(map(_bytes_below, read)) / BYTES_A_SECOND, 1)


def _bytes_below(path: Path) -> int:
    """Of all files there, links not followed; what cannot be looked at has none."""
    try:
        if not path.is_dir():
            return path.stat().st_size
        with os.scandir(path) as entries:
            return sum(
                _bytes_below(Path(entry.path))
                for entry in entries
                if not (entry.is_symlink() and entry.is_dir())
            )
    except OSError:
        return 0


def ask_firewall(
    workspace: Path | None,
    *,
    limit_seconds: float | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
) -> Answer:
    """The firewall's answer, within ``look_seconds`` and ``limit_seconds``. Never raises."""
    question = start_firewall(
        workspace, limit_seconds=limit_seconds, file=file, environment=environment, cwd=cwd
    )
    return question.answer()


@cache
def firewall_digest() -> str:
    """Hex sha256 over the installed firewall's source files; empty when they cannot be read."""
    package = installed_package()
    try:
        return code_digest(package, code_stamps(package, ("contracts", "firewall", "platform")))
    except OSError:
        return ""


def watcher_argv(workspace: Path) -> list[str]:
    """argv of the firewall that stays on and writes ``firewall.state`` lines."""
    return firewall_argv(["-C", str(workspace), "--watch", "--events", "-"])


def judged(exit_code: int | None, stdout: bytes, stderr: bytes, why: str = "") -> Answer:
    """The answer that a firewall gave which ended like this. PURE."""
    try:
        said = json.loads(stdout)
    except (ValueError, RecursionError):
        said = None
    return judged_report(exit_code, said, why or _what_happened(stderr))


def judged_report(exit_code: int | None, said: object, words: str = "") -> Answer:
    """The same for a report that was parsed already; ``words`` are the last on standard error."""
    report = read_report(said)
    state = stated(said)
    if exit_code == ExitCode.FIREWALL_BREACH or state == "BREACH":
        return Breach(report)
    if exit_code is None:
        return Unknown(f"the firewall gave no answer: {words or 'it was ended'}", report)
    if state == "CLEAR" and exit_code == ExitCode.OK:
        return Clear(report)
    if state == "ABSENT" and exit_code == ExitCode.NOT_EVALUATED:
        return Absent(report)
    ended = f"ended by signal {-exit_code}" if exit_code < 0 else f"exit {exit_code}"
    if not report.said:
        return Unknown(f"the firewall gave no report ({ended}){f': {words}' if words else ''}", report)
    why = visible(report.detail, 300) or words
    if state in ("CLEAR", "ABSENT"):
        why = f"the firewall said {state} and contradicts itself ({ended})"
    return Unknown(why or f"the firewall could not judge ({ended})", report)


def stated(said: object) -> str:
    """The state in a report or a ``firewall.state`` event. PURE.

    CLEAR takes a count of rows and a count of findings that is 0; any finding is a BREACH.
    """
    if not isinstance(said, Mapping):
        return "UNKNOWN"
    state, findings = said.get("state"), said.get("findings_count")
    if state == "BREACH" or (_is_count(findings) and findings):
        return "BREACH"
    if state == "CLEAR" and not (_is_count(findings) and _is_count(said.get("rows_read"))):
        return "UNKNOWN"
    return state if state in ("CLEAR", "ABSENT", "STALE") else "UNKNOWN"


def read_report(said: object) -> Report:
    """The members of a report that can be read; the others count as left out. PURE."""
    if not isinstance(said, Mapping):
        return Report()
    findings = tuple(objects_of(said, "findings"))
    lines = {(text_of(each, "file"), count_of(each, "line")) for each in findings}
    files = sum(line == 0 for _, line in lines)
    walls, in_files = object_of(said, "by_wall"), object_of(said, "by_file")
    return Report(
        said=said,
        rows_read=count_of(said, "rows_read") or 0,
        # A firewall that does not count them lists the first findings, which is nearly as good.
        forbidden_rows=count_of({"forbidden_rows": len(lines) - files, **said}, "forbidden_rows") or 0,
        forbidden_files=count_of({"forbidden_files": files, **said}, "forbidden_files") or 0,
        findings_count=count_of(said, "findings_count") or 0,
        by_wall={str(wall): count_of(walls, wall) or 0 for wall in walls},
        by_file={str(file): count_of(in_files, file) or 0 for file in in_files},
        more_files=count_of(said, "more_files") or 0,
        findings=findings,
        sha256=text_of(said, "sha256"),
        cause=text_of(said, "cause"),
        detail=text_of(said, "detail") or "",
    )


def _what_happened(stderr: bytes) -> str:
    """The first of the three lines of a fault, else the last line: of a traceback that is the error."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    told = next((line for line in lines if line.startswith(_FIRST_OF_A_FAULT)), None)
    if told is None:
        told = lines[-1] if lines else ""
    return visible(told.removeprefix(_FIRST_OF_A_FAULT).strip(), 300)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
