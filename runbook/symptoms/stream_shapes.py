"""What the streams' rules ask of their lines, and what the lines hold instead.

The engine's own survey names the paths that no line has and what no rule reads. A first line is
read here, without the engine, because the engine's own reading may be what is broken.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_or_empty, objects_of, rows
from pipeline.reading.settings_glance import StreamGlance
from pipeline.reading.source_files import relative_name
from runbook.case import Case
from runbook.probes.evidence import ProbeOutput, Record
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.field_renames import Rename, paths_of, renames_of, value_at

STREAMS = "streams"
_TITLE = "What the streams make of their lines"
_SECONDS = 180.0
_MOST_LINE_BYTES = 16 * 2**20
_MOST_RENAMES = 5
_LINES_TRIED = 20


class Shape(Record):
    """One stream as the engine in use reads it now. ``absent`` are paths of its rules that its first
    line does not have by our own look; ``vanished`` those that the engine finds in no line."""

    stream: str
    tier: int
    role: str
    files: tuple[str, ...] = ()
    lines: int = 0
    used: int = 0
    evidence: int = 0
    reasons: tuple[tuple[str, int, str], ...] = ()
    vanished: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    empty_fields: tuple[str, ...] = ()
    lost_fields: tuple[str, ...] = ()
    """Those that rows of the last run had."""
    appeared: tuple[tuple[str, int], ...] = ()
    renames: tuple[Rename, ...] = ()

    @property
    def yields_nothing(self) -> bool:
        return self.lines > 0 and self.used == 0

    @property
    def gone(self) -> tuple[str, ...]:
        """Paths of its rules that are not in the lines, whoever looks."""
        return tuple(path for path in self.vanished if path in self.absent)

    @property
    def lost_told(self) -> str:
        return f"no row has {', '.join(self.lost_fields)} any more, which rows of the last run had"

    @property
    def skips_told(self) -> tuple[str, ...]:
        return tuple(f"{reason} {count:,}: {detail}" for reason, count, detail in self.reasons)

    def best(self) -> dict[str, tuple[Rename, ...]]:
        """Old name → likeliest new ones first."""
        found: dict[str, list[Rename]] = {}
        for each in self.renames:
            found.setdefault(each.old, []).append(each)
        return {old: tuple(each[:_MOST_RENAMES]) for old, each in found.items()}


class Survey(Record):
    """``crash`` are the last lines of an engine that gave no survey; ``frames`` its files in them."""

    shapes: tuple[Shape, ...] = ()
    exit_code: int | None = None
    crash: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        return sum(each.lines for each in self.shapes)

    def broken(self) -> list[Shape]:
        """Streams that have lines and yield nothing: those of tier 1 first."""
        return sorted((each for each in self.shapes if each.yields_nothing), key=lambda each: each.tier)


def streams_probe() -> Probe:
    """The probe that finds a ``Survey``; ``survey_of`` reads it back."""
    return Probe(STREAMS, _TITLE, _SECONDS, look_at_streams)


def look_at_streams(workspace: Workspace, seconds: float) -> ProbeOutput:
    """``distill streams check``, with what a first line of each stream holds."""
    ran = workspace.engine(["streams", "check", "--json"], seconds=seconds)
    reports = _reports(ran.stdout)
    declared = {each.name: each for each in workspace.streams()}
    shapes = [
        _shape(workspace, declared[str(each.get("name"))], each)
        for each in reports or ()
        if str(each.get("name")) in declared
    ]
    error = ran.narration
    crash = [] if reports is not None else [ran.why, *error.strip().splitlines()[-20:]]
    survey = Survey(
        shapes=tuple(shapes),
        exit_code=ran.exit_code,
        crash=tuple(visible(line) for line in crash if line),
        frames=tuple(_frames(workspace.root, error)) if crash else (),
    )
    return ProbeOutput(
        probe_id=STREAMS,
        title=_TITLE,
        argv=("distill", "streams", "check", "--json"),
        exit_code=ran.exit_code,
        text="\n".join(line for each in survey.shapes for line in _lines(each)) or "\n".join(survey.crash),
        data=survey.model_dump(mode="json"),
        timed_out=ran.timed_out,
    )


def survey_of(case: Case) -> Survey:
    """What the probe found; after one that failed, a survey without streams that says why."""
    return case.found(STREAMS, Survey(crash=(case.trouble(STREAMS, "the streams were not examined"),)))


def _reports(out: bytes) -> list[dict[str, Any]] | None:
    report = object_or_empty(out)
    return objects_of(report, "streams") if isinstance(report.get("streams"), list) else None


def _frames(root: Path, error: str) -> Iterator[str]:
    for name in re.findall(r'File "([^"]+)", line \d+', error):
        for top in (root, root.resolve()):
            if Path(name).is_relative_to(top / "pipeline"):
                yield Path(name).relative_to(top).as_posix()
                break


def _shape(workspace: Workspace, stream: StreamGlance, report: Mapping[str, Any]) -> Shape:
    numbers = {key: int(report.get(key) or 0) for key in ("lines", "mapped", "looked_up", "evidence")}
    reasons = report.get("reasons") or {}
    appeared = {str(path): int(count) for path, count in (report.get("unmapped") or {}).items()}
    vanished = tuple(str(path) for path in report.get("paths_never_found") or ())
    first = _first_line(workspace, stream)
    asked = paths_of(stream)
    return Shape(
        stream=stream.name,
        tier=stream.tier,
        role=stream.role,
        files=tuple(relative_name(workspace.root, path) for path in workspace.files_of(stream)),
        lines=numbers["lines"],
        used=numbers["mapped"] + numbers["looked_up"],
        evidence=numbers["evidence"],
        reasons=tuple(
            (reason, int(told.get("lines") or 0), ", ".join(list(told.get("details") or {})[:3]))
            for reason, told in reasons.items()
        ),
        vanished=vanished,
        absent=tuple(path for path in asked if first is not None and value_at(first, path) is None),
        empty_fields=tuple(str(each) for each in report.get("fields_never_found") or ()),
        lost_fields=tuple(str(each) for each in report.get("fields_lost") or ()),
        appeared=tuple(appeared.items()),
        renames=tuple(renames_of(vanished, appeared, first, asked, numbers["lines"])),
    )


def _lines(shape: Shape) -> list[str]:
    lines = [
        f"{shape.stream}: {plural(shape.lines, 'line')}, {shape.used:,} used, "
        f"{plural(shape.evidence, 'evidence row')}"
    ]
    lines += [f"  skipped {each}" for each in shape.skips_told]
    if shape.lost_fields:
        lines.append(f"  no row has {', '.join(shape.lost_fields)} any more")
    if shape.vanished:
        lines.append(f"  no line has {', '.join(shape.vanished)}")
    if shape.appeared:
        lines.append(f"  no rule reads {', '.join(f'{path} ({count:,})' for path, count in shape.appeared)}")
    return [visible(line) for line in [*lines, *(f"  {each.told}" for each in shape.renames)]]


def _first_line(workspace: Workspace, stream: StreamGlance) -> dict[str, Any] | None:
    """The first line that is an object, of any of its files; None when none can be read."""
    for path in workspace.files_of(stream):
        try:
            with disk.open_to_read(path) as raw:
                packed = raw.read(2) == b"\x1f\x8b"
            with disk.open_to_read(path) as plain, gzip.open(plain) if packed else plain as file:
                lines = (file.readline(_MOST_LINE_BYTES) for _ in range(_LINES_TRIED))
                if (first := next(rows(lines), None)) is not None:
                    return first
        except (OSError, EOFError):
            continue
    return None
