"""Keep one line of a new shape as a golden line: the next change that breaks it is told by a test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline.platform import disk
from pipeline.platform.lenient_json import rows
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import refused

TESTS = "tests"
FOLDER = PurePosixPath("tests/golden")
# Where a workspace has no tests, beside what is known of its sources; nothing runs it there.
ELSEWHERE = PurePosixPath("docs/recon/golden")
_LINES_TRIED = 50
_MOST_BYTES = 64 * 1024


def plan_golden_line(planning: Planning, stream: str, path: str, gives: Sequence[str]) -> Draft:
    """Keep the first line of ``stream`` that has ``path``'s top name, with the evidence fields it gives.

    Raises RefusedError when no short line has it.
    """
    found = _line_with(planning, stream, path.split(".", 1)[0].split("[", 1)[0])
    line = json.dumps({"gives": list(gives), "line": found}, ensure_ascii=False)
    has_tests = (planning.workspace.root / TESTS).is_dir()
    target = str((FOLDER if has_tests else ELSEWHERE) / f"{stream}.jsonl")
    says = f"Keep one source line of stream {stream} as a golden line of the new shape, in {target}."
    step = planning.appended(target, line, says, f"Append a line of the stream to {target}.")
    notes = [f"{target} is tracked by git: read the line before you commit it"]
    if not has_tests:
        notes.append(f"the workspace has no {TESTS}/, so no test reads it: distill init makes them")
    return planning.draft(
        "golden_line",
        f"Keep a golden line of stream {stream}",
        [step],
        undo=f"Cut the line off {target} again, if none followed.",
        notes=notes,
    )


def _line_with(planning: Planning, stream: str, name: str) -> dict[str, Any]:
    workspace = planning.workspace
    declared = next(each for each in workspace.streams() if each.name == stream)
    for path in workspace.files_of(declared):
        with disk.open_to_read(path) as file:
            for value in rows(file.readline(_MOST_BYTES) for _ in range(_LINES_TRIED)):
                if name in value:
                    return value
    raise refused(
        "no_golden_line",
        f"None of the first lines of stream {stream} has {name} and is short enough to keep.",
        "Choose to keep none, and write one by hand.",
    )
