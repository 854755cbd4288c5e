"""PURE: a batch as annotations of GitHub Actions. (The step summary is ``summary.py``'s page.)

At most ten annotations of a step are shown, so that the tenth says how many there are besides.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.batch.outcome import BAD_CHECKS, TROUBLE, BatchOutcome, PartOutcome
from pipeline.contracts.untrusted import visible

MAX_ANNOTATIONS = 9


def workflow_commands(batch: BatchOutcome) -> list[str]:
    """Workflow commands, one a line, worst first."""
    found = [*_errors(batch.parts), *_warnings(batch.parts)]
    shown = [_command(level, title, message) for level, title, message in found[:MAX_ANNOTATIONS]]
    if len(found) > MAX_ANNOTATIONS:
        more = len(found) - MAX_ANNOTATIONS
        shown.append(_command("notice", "distill", f"{more} more in report.json"))
    return shown


def _errors(parts: Sequence[PartOutcome]) -> list[tuple[str, str, str]]:
    found = []
    for part in parts:
        bad = [check for check in part.checks if check.required and check.status in BAD_CHECKS]
        found += [("error", check.id, f"{check.status}: {check.detail} · {check.reproduce}") for check in bad]
        # The checks of a part say more than the part itself, where there are some.
        if part.word in TROUBLE and not bad:
            found.append(("error", str(part.part), f"{part.word}: {part.detail or part.said}"))
    return found


def _warnings(parts: Sequence[PartOutcome]) -> list[tuple[str, str, str]]:
    return [("warning", str(part.part), warning) for part in parts for warning in part.warnings]


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    # "##[" begins a command wherever it stands in a line of a log.
    plain = visible(text, 1000).replace("##[", "## [")
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
