"""What a plan would do to files, line by line.

Texts from files go through ``visible`` here, so that a screen and a terminal may print the lines.
"""

from __future__ import annotations

import difflib

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform.git import GitError
from runbook.change import files
from runbook.change.incident import Incident
from runbook.change.plan import GitBlob, Plan, WriteFile
from runbook.probes.workspace import Workspace
from runbook.tell.plan import change_words

MOST_LINES = 400
_MOST_BYTES = 2 * 2**20


def diff_lines(workspace: Workspace, incident: Incident, plan: Plan) -> list[str]:
    """A unified difference for each file that the plan writes; at most ``MOST_LINES`` lines."""
    lines: list[str] = []
    for step in plan.steps:
        if isinstance(step, WriteFile):
            lines += _diff(workspace, incident, step)
    if len(lines) > MOST_LINES:
        return [*lines[:MOST_LINES], f"… {plural(len(lines) - MOST_LINES, 'more line')}"]
    return lines


def _diff(workspace: Workspace, incident: Incident, step: WriteFile) -> list[str]:
    path = visible(step.path)
    by_digest = change_words(step.before.model_dump(), step.after.model_dump())
    if max(step.before.bytes or 0, step.after.bytes or 0) > _MOST_BYTES:
        return [f"{path}: too large to show line by line: {by_digest}"]
    try:
        old = b"" if step.before.is_absent else files.read_bytes(workspace.root, step.path)
        blob = isinstance(step.content, GitBlob)
        new = workspace.git.blob(step.content.oid) if blob else incident.kept(step.after.sha256 or "")  # type: ignore[union-attr]
    except (OSError, OperatorError, GitError) as error:
        return [f"{path}: cannot be shown: {visible(str(error), 200)}"]
    if _is_binary(old) or _is_binary(new):
        return [f"{path}: no text: {by_digest}"]
    lines = list(
        difflib.unified_diff(
            old.decode("utf-8", "replace").splitlines(),
            new.decode("utf-8", "replace").splitlines(),
            f"{step.path} (now)",
            f"{step.path} (then)",
            lineterm="",
        )
    )
    if not lines and step.before.mode != step.after.mode:
        return [f"{path}: mode {step.before.mode or 0:o} → {step.after.mode or 0:o}"]
    return [visible(line) for line in lines]


def _is_binary(data: bytes) -> bool:
    """As git tells it: a zero byte near the beginning."""
    return b"\0" in data[:8_000]
