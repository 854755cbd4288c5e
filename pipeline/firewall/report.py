"""What a look at a file found: as data for machines, as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.finding_words import NOT_CHECKED, found_in_words, walls_in_words
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

FINDINGS_KEPT = 100
FILES_KEPT = 100
FORMATTED_KEPT = 1000
_EXPORTS = frozenset(str(path) for path in paths.EXPORT_FILES.values())
_FINDINGS_PRINTED = 10
_ID_LIMIT = 256


class State(StrEnum):
    """Only CLEAR is good news. STALE is said by a watcher while it reads everything again."""

    CLEAR = "CLEAR"
    BREACH = "BREACH"
    ABSENT = "ABSENT"
    STALE = "STALE"
    UNKNOWN = "UNKNOWN"


EXIT_CODES = {
    State.CLEAR: ExitCode.OK,
    State.BREACH: ExitCode.FIREWALL_BREACH,
    State.ABSENT: ExitCode.NOT_EVALUATED,
    State.STALE: ExitCode.NOT_EVALUABLE,
    State.UNKNOWN: ExitCode.NOT_EVALUABLE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One offence of one row. ``line`` counts from 1; 0 stands for the whole file."""

    wall: str
    file: str
    line: int
    byte_offset: int
    row_id: str | None
    run_id: str | None
    detail: str

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def shown_id(value: object) -> str | None:
    """An id from data, made harmless; None when it is no text."""
    return visible(value, _ID_LIMIT) if isinstance(value, str) else None


class Findings:
    """All findings are counted, and the rows and files that they concern; the first ones are kept.

    A row with findings of two walls is one forbidden row. Findings of one row come one after another.
    ``by_wall`` and ``by_file`` count findings. ``by_file`` has the exports and the first other files with
    findings; ``more_files`` counts the rest, each for as long as its findings come one after another.
    """

    def __init__(self) -> None:
        self.count = 0
        self.rows = 0
        self.files = 0
        self.by_wall: dict[str, int] = {}
        self.by_file: dict[str, int] = {}
        self.more_files = 0
        self.first: list[Finding] = []
        self._last = ("", -1)

    def add(self, finding: Finding) -> None:
        self.count += 1
        offender = (finding.file, finding.line)
        if self._is_told(finding.file):
            self.by_file[finding.file] = self.by_file.get(finding.file, 0) + 1
        elif finding.file != self._last[0]:
            self.more_files += 1
        if offender != self._last:
            self._last = offender
            if finding.line:
                self.rows += 1
            else:
                self.files += 1
        self.by_wall[finding.wall] = self.by_wall.get(finding.wall, 0) + 1
        if len(self.first) < FINDINGS_KEPT:
            self.first.append(finding)

    def _is_told(self, file: str) -> bool:
        """A folder may hold a million files beside the exports; the exports are told in any case."""
        return file in self.by_file or file in _EXPORTS or len(self.by_file) < FILES_KEPT

    def joined(self, other: Findings) -> Findings:
        both = Findings()
        both.count = self.count + other.count
        both.rows = self.rows + other.rows
        both.files = self.files + other.files
        both.by_wall = dict(Counter(self.by_wall) + Counter(other.by_wall))
        both.by_file, both.more_files = dict(self.by_file), self.more_files + other.more_files
        for file, count in other.by_file.items():
            if both._is_told(file):
                both.by_file[file] = both.by_file.get(file, 0) + count
            else:
                both.more_files += 1
        both.first = (self.first + other.first)[:FINDINGS_KEPT]
        return both


@dataclass(frozen=True)
class Report:
    """What one look knows. ``walls`` are those that the rows were held against.

    ``not_evaluated`` has for each other wall that should have stood why it could not.
    ``evaluation_sets`` is 0 where none is declared, None where the look did not come to them;
    ``evaluation_refused`` are the rows that the exporter says it kept out because of them.
    """

    state: State
    file: str
    walls: tuple[str, ...]
    detail: str = ""
    rows_read: int = 0
    findings: Findings = field(default_factory=Findings)
    warnings: Findings = field(default_factory=Findings)
    sha256: str | None = None
    cause: str | None = None
    index: dict[str, Any] = field(default_factory=dict)
    quarantined: tuple[str, ...] = ()
    formatted: tuple[dict[str, Any], ...] = ()
    evaluation: str = NOT_CHECKED
    evaluation_sets: int | None = None
    evaluation_refused: int | None = None
    not_evaluated: Mapping[str, str] = field(default_factory=dict)
    scan_seconds: float = 0.0

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.state]

    def to_dict(self) -> dict[str, Any]:
        return {
            "state": self.state.value,
            "file": self.file,
            "walls": list(self.walls),
            "detail": self.detail,
            "rows_read": self.rows_read,
            "findings_count": self.findings.count,
            "forbidden_rows": self.findings.rows,
            "forbidden_files": self.findings.files,
            "by_wall": self.findings.by_wall,
            "by_file": self.findings.by_file,
            "more_files": self.findings.more_files,
            "findings": [finding.to_dict() for finding in self.findings.first],
            "warnings_count": self.warnings.count,
            "warnings": [warning.to_dict() for warning in self.warnings.first],
            "sha256": self.sha256,
            "cause": self.cause,
            "index": self.index,
            "quarantined": list(self.quarantined),
            "formatted": self._told_formatted(),
            "more_formatted": max(0, len(self.formatted) - FORMATTED_KEPT),
            "evaluation": self.evaluation,
            "evaluation_sets": self.evaluation_sets,
            "evaluation_refused": self.evaluation_refused,
            "not_evaluated": dict(self.not_evaluated),
            "scan_seconds": round(self.scan_seconds, 6),
        }

    def _told_formatted(self) -> list[dict[str, Any]]:
        """The first formatted files, those first that something is wrong with."""
        if len(self.formatted) <= FORMATTED_KEPT:
            return list(self.formatted)
        return sorted(self.formatted, key=lambda file: file.get("state") == "accounted")[:FORMATTED_KEPT]

    def as_text(self) -> str:
        """The report for people; every text from data has been made visible."""
        lines = [f"firewall  {self.state.value}  {visible(self.file)}"]
        rows = f"{plural(self.rows_read, 'row')} read"
        if self.findings.count:
            walls = ", ".join(f"{wall} {count:,}" for wall, count in self.findings.by_wall.items())
            found = found_in_words(self.findings.rows, self.findings.files, self.findings.count)
            rows += f", {found}: {walls}"
        lines.append(f"  {rows}")
        said = walls_in_words(
            self.evaluation, self.evaluation_sets, self.evaluation_refused, self.not_evaluated
        )
        lines += [f"  {visible(words)}" for words in said]
        if self.detail:
            lines.append(f"  {visible(self.detail)}")
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        for finding in self.findings.first[:_FINDINGS_PRINTED]:
            where = f"{visible(finding.file)}:{finding.line}"
            who = finding.run_id or "no run id"
            lines.append(f"  {finding.wall:10}  {where}  {who}: {visible(finding.detail)}")
        if self.findings.count > _FINDINGS_PRINTED:
            more = self.findings.count - _FINDINGS_PRINTED
            lines.append(f"  … and {more:,} more finding{'' if more == 1 else 's'} (--json lists 100)")
        lines += _warning_lines(self.warnings)
        lines += [f"  quarantined, not scanned: {visible(name)}" for name in self.quarantined]
        if self.quarantined:
            lines.append("  a loader that is given the whole folder may read these: name the files to load")
        return "\n".join(lines) + "\n"


def _warning_lines(warnings: Findings) -> list[str]:
    """The first warnings, and how many more there are. They are no findings: the state stays."""
    lines = []
    for warning in warnings.first[:_FINDINGS_PRINTED]:
        who = warning.run_id or "no run id"
        lines.append(f"  warning   {visible(warning.file)}:{warning.line}  {who}: {visible(warning.detail)}")
    more = warnings.count - len(lines)
    if more > 0:
        lines.append(f"  … and {more:,} more warning{'' if more == 1 else 's'} (--json lists 100)")
    return lines
