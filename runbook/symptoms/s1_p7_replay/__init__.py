"""S1.P7.replay: replayed tasks find no playbook, or the model's answer does not pass the validator."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P7.replay"
CHECK = "P7.replay"
EMPTY = "playbooks_empty"
SWAPPED = "model_swapped"
SILENT = "model_silent"
CODE_CHANGED = "replay_code_changed"
UNKNOWN = "unknown"
CAUSES = (
    (EMPTY, "There are no playbooks, so nothing can be retrieved for any task."),
    (SWAPPED, "Another model than the default was put in, and its answers are refused."),
    (SILENT, "Another model than the default was put in, and it gives no answer at all."),
    (CODE_CHANGED, "Playbooks and model are as they were, and the code that asks and judges was changed."),
    (UNKNOWN, "There are playbooks, the default model answers, and no code of it differs."),
)
DEFAULT_MODEL = "extractive"
VARIABLE = "LH_REPLAY_LOCAL_MODEL"

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="Replay finds no playbook, or its answer is refused",
    what_you_see="The audit's P7 is red, or the last replay was refused: retrieval is empty for tasks that "
    "have a playbook, or the local answer is refused as filler, too short, cut off or unsupported, or there "
    "is no answer.",
    why="Replay is how what was distilled is used. A model that hedges, or playbooks that are gone, give the "
    "next run nothing, while every earlier phase looks well.",
    phases=("P7",),
    checks=(CHECK,),
    live=False,
    explained_by=(
        "ENGINE.wont-start",
        "S1.P1.schema",
        "S1.P2.materialize",
        "S1.P3.distribution",
        "S4.empty-exports",
    ),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Replay a task that used to pass; it says which model answered and who named it.",
            'distill replay --task "TASK THAT USED TO PASS" --local-only --no-log',
        ),
        ByHand(
            "The same by the default model: if it passes, the model was swapped.",
            f'distill replay --task "TASK THAT USED TO PASS" --local-only --no-log --model {DEFAULT_MODEL}',
        ),
        ByHand("Back to the default: the variable first, it beats the settings.", f"unset {VARIABLE}"),
        ByHand("Then delete `model` below `[replay]` in distill.toml."),
        ByHand("No playbooks? Export them again.", "distill export-rag"),
        ByHand("Check again.", f"distill audit-full --check {CHECK}"),
    ),
    rank=90,
)
