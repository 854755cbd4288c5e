"""Replay one task: retrieve, ask, escalate if allowed, judge, and keep a row of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import EngineUnavailableError
from pipeline.engine.clock import monotonic, now_iso
from pipeline.platform import confined
from pipeline.replay.model_choice import ModelChoice, escalation_model, local_model
from pipeline.replay.models import Answer, ModelError
from pipeline.replay.playbook_index import Playbook, retrieve
from pipeline.replay.validate import ReplayReason, validate
from pipeline.schemas.replay_run import ReplayRun
from pipeline.settings.model import Settings

_PROMPT = """\
You are given playbooks: records of attempts at similar tasks that worked.
Answer the task with concrete steps. Use the playbooks; say which one you follow.

{playbooks}

# Task

{task}
"""


def replay_task(
    workspace: Path,
    settings: Settings,
    task: str,
    *,
    local_only: bool = False,
    log: bool = True,
    model: str | None = None,
) -> dict[str, Any]:
    """The ReplayRun row of one replay, appended to the log unless ``log`` is false.

    Raises EngineUnavailableError (naming the URL) when a model could not be asked: the row is
    kept all the same. Raises InputError, SettingsError and StorageError.
    """
    playbooks = retrieve(workspace, task)
    choices = [local_model(settings.replay, model)]
    if not local_only and (escalation := escalation_model(settings.replay)) is not None:
        choices.append(escalation)
    prompt = prompt_for(task, playbooks) if playbooks else None
    attempts: list[dict[str, Any]] = []
    failure: ModelError | None = None
    if prompt is not None:
        for choice in choices:
            attempt, failure = _ask(choice, task, prompt, playbooks)
            attempts.append(attempt)
            if failure is None and attempt["validation_result"]["ok"]:
                break
    row = _row(task, playbooks, prompt, attempts, local_only=local_only)
    if log:
        confined.append_line(workspace, paths.REPLAY_RUNS, orjson.dumps(row) + b"\n")
    if failure is not None:
        raise _unavailable(failure, logged=log)
    return row


def prompt_for(task: str, playbooks: Sequence[Playbook]) -> str:
    """What a model is asked: the playbooks, best first, then the task."""
    shown = "\n\n".join(f"# Playbook {playbook.rag_id}\n\n{playbook.content}" for playbook in playbooks)
    return _PROMPT.format(playbooks=shown, task=task)


def _ask(
    choice: ModelChoice, task: str, prompt: str, playbooks: Sequence[Playbook]
) -> tuple[dict[str, Any], ModelError | None]:
    started = monotonic()
    answer: Answer | None = None
    failure: ModelError | None = None
    try:
        answer = choice.model.answer(task, prompt, playbooks)
    except ModelError as error:
        failure = error
    verdict = None
    if answer is not None:
        verdict = _verdict(
            validate(answer.text, [playbook.content for playbook in playbooks], cut_off=answer.cut_off)
        )
    return {
        "model": choice.name,
        "model_origin": choice.origin,
        "url": choice.model.url,
        "answer": None if answer is None else answer.text,
        "error": None if failure is None else failure.code,
        "validation_result": verdict,
        "elapsed_seconds": round(monotonic() - started, 6),
    }, failure


def _verdict(reasons: Sequence[ReplayReason]) -> dict[str, Any]:
    return {"ok": not reasons, "reasons": [str(reason) for reason in reasons]}


def _row(
    task: str,
    playbooks: Sequence[Playbook],
    prompt: str | None,
    attempts: list[dict[str, Any]],
    *,
    local_only: bool,
) -> dict[str, Any]:
    last = attempts[-1] if attempts else {"answer": None, "validation_result": None}
    if not playbooks:
        verdict = _verdict([ReplayReason.NO_PLAYBOOK_SUPPORT])
    else:
        verdict = last["validation_result"] or _verdict([ReplayReason.EMPTY])
    row = {
        "schema_version": 1,
        "replay_id": f"replay-{os.urandom(8).hex()}",
        "task": task,
        "local_only": local_only,
        "retrieved": [
            {
                "rag_id": playbook.rag_id,
                "source_run_id": playbook.source_run_id,
                "relevance": round(playbook.relevance, 6),
            }
            for playbook in playbooks
        ],
        "prompt_sha256": None if prompt is None else hashlib.sha256(prompt.encode()).hexdigest(),
        "attempts": attempts,
        "answer": last["answer"],
        "validation_result": verdict,
        "recorded_at": now_iso(),
    }
    ReplayRun.model_validate(row)
    return row


def _unavailable(failure: ModelError, *, logged: bool) -> EngineUnavailableError:
    kept = "The attempt is in the replay log." if logged else "Nothing was changed."
    return EngineUnavailableError.of(
        code=f"model_{failure.code}",
        what_happened=f"The model at {failure.url} gave no answer: {failure.detail}.",
        kept_safe=kept,
        do_next="Start that server, correct [replay] base_url, or ask the embedded one: --model extractive",
        value=failure.url,
    )
