"""P7.replay: tasks of the corpus find a playbook, and the local answer passes the validator.

The probes are drawn evenly from the playbooks, by their own tasks; nothing is logged and no
escalation model is asked.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.audit.failures import Failures
from pipeline.audit.rows import RowFile
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.replay.replay import replay_task

PROBES = 5


class _Playbook(msgspec.Struct, frozen=True):
    title: str
    source_run_id: str


class _Task(msgspec.Struct, frozen=True):
    run_id: str
    instruction: str | None = None
    messages: list[dict[str, Any]] | None = None


def replay(view: WorkspaceView) -> Outcome:
    """Examines probes. Raises EngineUnavailableError, naming the URL, when no model answers."""
    shown = str(paths.EXPORT_FILES["rag"])
    playbooks = [(number, row) for number, row in RowFile(view.workspace / shown, shown, _Playbook)]
    chosen = [playbooks[at * len(playbooks) // PROBES] for at in range(min(PROBES, len(playbooks)))]
    tasks = _tasks(view, {row.source_run_id for _, row in chosen})
    failures = Failures()
    if not chosen:
        failures.add("there is no playbook to draw a probe from", file=shown)
    for number, row in chosen:
        task = tasks.get(row.source_run_id) or row.title
        answer = replay_task(view.workspace, view.settings, task, local_only=True, log=False)
        words = _problem(answer)
        if words:
            failures.add(words, file=shown, line=number, run_id=row.source_run_id)
    return failures.outcome(
        len(chosen),
        f"{plural(len(chosen), 'probe')} drawn from {plural(len(playbooks), 'playbook')}, local model only",
    )


def _problem(answer: dict[str, Any]) -> str:
    if not answer["retrieved"]:
        return "retrieval found no playbook for a task that has one"
    if not answer["validation_result"]["ok"]:
        return f"the local answer was refused: {', '.join(answer['validation_result']['reasons'])}"
    return ""


def _tasks(view: WorkspaceView, run_ids: set[str]) -> dict[str, str]:
    """What the probes' runs were asked: their instruction, or their first user turn."""
    found = {}
    for shown in view.files_under(paths.EVIDENCE):
        for _, row in RowFile(view.workspace / shown, shown, _Task):
            if row.run_id in run_ids:
                found[row.run_id] = row.instruction or _first_user_turn(row.messages or [])
    return found


def _first_user_turn(messages: list[dict[str, Any]]) -> str:
    for message in messages:
        content = message.get("content")
        if message.get("role") == "user" and isinstance(content, str) and content.strip():
            return content
    return ""
