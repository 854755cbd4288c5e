"""Run every variant in a copy of its own and compare: equal, or the first stage and row that differ."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode, worst
from pipeline.contracts.plurals import plural
from pipeline.determinism.copies import copy_workspace, private_folder
from pipeline.determinism.difference import Difference, first_difference, outputs_in_order
from pipeline.determinism.trial import Trial, run_trial
from pipeline.determinism.variants import Variant
from pipeline.settings.model import Settings


@dataclass
class Comparison:
    """``exit_code``: 0 equal, 1 different, 5 when a kill that was asked for never came."""

    exit_code: int = ExitCode.NOT_EVALUATED
    verdict: str = ""
    trials: list[Trial] = field(default_factory=list)
    difference: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "runs": [trial.to_dict() for trial in self.trials],
            "difference": None if self.difference is None else self.difference.to_dict(),
        }


def compare(
    workspace: Path,
    settings: Settings,
    chosen: list[Variant],
    *,
    on_begin: Callable[[Variant], None],
    on_trial: Callable[[Trial], None],
) -> Comparison:
    """Every trial against the first. Stops at the first difference. Raises StorageError, InputError."""
    comparison = Comparison()
    outputs = outputs_in_order([stream.name for stream in settings.streams if stream.role == "source"])
    with private_folder() as folder:
        first: Trial | None = None
        for number, variant in enumerate(chosen):
            on_begin(variant)
            place = folder / str(number)
            trial = run_trial(copy_workspace(workspace, settings, place), variant)
            comparison.trials.append(trial)
            on_trial(trial)
            if first is None:
                first = trial
                if not trial.ok:
                    break
                continue
            if trial.ok:
                comparison.difference = first_difference(
                    (first.variant.name, first.copy), (variant.name, trial.copy), outputs
                )
            if not trial.ok or comparison.difference is not None or trial.run_hash != first.run_hash:
                break
            shutil.rmtree(place, ignore_errors=True)
    comparison.exit_code, comparison.verdict = _verdict(comparison)
    return comparison


def _verdict(comparison: Comparison) -> tuple[int, str]:
    first, last = comparison.trials[0], comparison.trials[-1]
    if not first.ok:
        code = worst([first.exit_code]) if first.exit_code in list(ExitCode) else int(ExitCode.NOT_EVALUABLE)
        code = code or int(ExitCode.NOT_EVALUABLE)
        return code, f"the run {first.variant.name} ended with {first.exit_code}: {first.words}"
    if not last.ok:
        return ExitCode.CHECK_FAILED, (
            f"the run {last.variant.name} ended with {last.exit_code}, "
            f"{first.variant.name} with 0: {last.words}"
        )
    found = comparison.difference
    if found is not None:
        where = found.file if found.line is None else f"{found.file}:{found.line}"
        names = f" in {', '.join(found.fields[:5])}" if found.fields else ""
        return ExitCode.CHECK_FAILED, (
            f"different: {found.first_run} and {found.second_run} differ from stage {found.stage} on: "
            f"{where}{names}"
        )
    if last.run_hash != first.run_hash:
        return ExitCode.CHECK_FAILED, (
            f"different: the outputs of {first.variant.name} and {last.variant.name} are the same bytes, "
            "their run_hash is not: counts or settings differ"
        )
    alive = [trial.variant.name for trial in comparison.trials if trial.killed is False]
    if alive:
        return ExitCode.NOT_EVALUATED, (
            f"equal, but {', '.join(alive)} was never killed: it passed no such commit point"
        )
    runs = plural(len(comparison.trials), "run")
    return ExitCode.OK, f"equal: {runs} from scratch, run_hash {first.run_hash}"
