"""``distill replay``: put a task to a model with the playbooks that fit it."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible, visible_lines
from pipeline.replay.model_choice import MODEL_VARIABLE, local_model
from pipeline.replay.replay import replay_task

_ORIGINS = {
    "default": "the default",
    "settings": "[replay] in distill.toml",
    "environment": f"the environment variable {MODEL_VARIABLE}",
    "flag": "--model",
}


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    choice = local_model(settings.replay, arguments.model)
    context.note(f"model {visible(choice.name)}, from {_ORIGINS[choice.origin]}")
    row = replay_task(
        context.workspace,
        settings,
        arguments.task,
        local_only=arguments.local_only,
        log=not arguments.no_log,
        model=arguments.model,
    )
    verdict = row["validation_result"]
    if context.json:
        context.out_json(row)
    else:
        for found in row["retrieved"]:
            relevance = f"{found['relevance']:8.3f}"
            context.out(
                f"playbook {relevance}  {visible(found['rag_id'])}  {visible(found['source_run_id'])}"
            )
        if not row["retrieved"]:
            context.out(f"no playbook fits: {paths.RAG_EXPORT} is empty or shares no word with the task")
        for line in visible_lines(row["answer"] or ""):
            context.out(f"  {line}")
        state = "passed" if verdict["ok"] else "refused: " + ", ".join(verdict["reasons"])
        context.out(f"validation {state}")
    return ExitCode.OK if verdict["ok"] else ExitCode.CHECK_FAILED
