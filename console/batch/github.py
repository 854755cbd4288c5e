"""PURE: a batch as annotations of GitHub Actions. (The step summary is ``summary.py``'s page.)

At most ten annotations of a step are shown, so that the tenth says how many there are besides. A cause takes
one, at its file and line where they are known, and names what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.batch.causes import Cause, causes
from console.batch.outcome import BatchOutcome, PartOutcome
from console.batch.titles import path_in_repository
from pipeline.contracts.untrusted import visible

MAX_ANNOTATIONS = 9


def workflow_commands(batch: BatchOutcome) -> list[str]:
    """Workflow commands, one a line, worst first."""
    found = [*(_error(cause, batch.folder) for cause in causes(batch)), *_warnings(batch.parts)]
    shown = [_command(each) for each in found[:MAX_ANNOTATIONS]]
    if len(found) > MAX_ANNOTATIONS:
        more = len(found) - MAX_ANNOTATIONS
        shown.append(_command(_Annotation("notice", "distill", f"{more} more in report.json")))
    return shown


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: str
    title: str
    message: str
    file: str | None = None
    line: int | None = None


def _error(cause: Cause, folder: str) -> _Annotation:
    trouble = cause.trouble
    message = f"{trouble.word}: {trouble.message}" + (f" · {trouble.again}" if trouble.again else "")
    if cause.consequences:
        message += f" · from it follow: {', '.join(each.id for each in cause.consequences)}"
    for place in trouble.places:
        file = path_in_repository(place, folder)
        if file is not None:
            return _Annotation("error", trouble.id, message, file, place.line)
    return _Annotation("error", trouble.id, message)


def _warnings(parts: Sequence[PartOutcome]) -> list[_Annotation]:
    return [_Annotation("warning", str(part.part), warning) for part in parts for warning in part.warnings]


def _command(found: _Annotation) -> str:
    place = "" if found.file is None else f"file={_property(found.file)},"
    if place and found.line is not None:
        place += f"line={found.line},"
    return f"::{found.level} {place}title={_property(found.title)}::{_data(found.message)}"


def _data(text: str) -> str:
    # "##[" begins a command wherever it stands in a line of a log.
    plain = visible(text, 1000).replace("##[", "## [")
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
