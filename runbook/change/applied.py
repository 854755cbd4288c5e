"""PURE: what of a plan has been carried out, read from the journal.

An intent without an outcome is open: the process that wrote it is gone, and only the files can
say what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.incidents import IncidentEntry
from runbook.change.plan import ABSENT, FileState, Plan, RenameFile, RunCommand

States = dict[str, FileState]


@dataclass(frozen=True)
class StepRecord:
    """One step as it went. ``before`` and ``after`` hold the files that it changed.

    ``folders`` were made on the way, outermost first.
    """

    index: int
    done: bool
    before: States
    after: States
    folders: tuple[str, ...] = ()
    said: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class Applied:
    """``steps`` by index, the latest record of each; ``open_step`` is the index of an open intent."""

    steps: dict[int, StepRecord] = field(default_factory=dict)
    open_step: int | None = None
    open_entry: IncidentEntry | None = None
    consented: bool = False

    def is_complete(self, plan: Plan) -> bool:
        return all(index in self.steps and self.steps[index].done for index in range(len(plan.steps)))

    @property
    def changed_anything(self) -> bool:
        return any(record.before != record.after for record in self.steps.values())


def read_applied(entries: Sequence[IncidentEntry], plan_hash: str) -> Applied:
    """Everything the journal says of the plan with this hash."""
    steps: dict[int, StepRecord] = {}
    consented = False
    opened: IncidentEntry | None = None
    for entry in entries:
        if entry.plan_hash != plan_hash:
            continue
        if entry.kind == "consent":
            consented = True
        elif entry.kind == "intent":
            opened = entry
        elif entry.kind == "outcome":
            opened = None
            record = _record(entry)
            earlier = steps.get(record.index)
            steps[record.index] = record if earlier is None else _together(earlier, record)
    number = opened.detail.get("step") if opened is not None else None
    return Applied(steps, number if isinstance(number, int) else None, opened, consented)


def _together(earlier: StepRecord, later: StepRecord) -> StepRecord:
    """A step that was tried again: from before the first try to after the last one."""
    before = {**later.before, **earlier.before}
    after = {**earlier.after, **later.after}
    folders = tuple(dict.fromkeys((*earlier.folders, *later.folders)))
    return StepRecord(later.index, later.done, before, after, folders, later.said, later.exit_code)


def _record(entry: IncidentEntry) -> StepRecord:
    detail: dict[str, Any] = dict(entry.detail)
    return StepRecord(
        index=int(detail["step"]),
        done=bool(detail["done"]),
        before=states_from(detail.get("before")),
        after=states_from(detail.get("after")),
        folders=tuple(detail.get("folders") or ()),
        said=str(detail.get("said") or ""),
        exit_code=detail.get("exit_code"),
    )


def states_from(value: Any) -> States:
    return {path: FileState.model_validate(state) for path, state in (value or {}).items()}


def states_as_json(states: States) -> dict[str, Any]:
    return {path: state.model_dump(mode="json") for path, state in states.items()}


def expected_states(plan: Plan, applied: Applied) -> States:
    """How every file of the plan must be found now, if nobody else has touched it."""
    expected: States = dict(plan.reads)
    for step in plan.steps:
        for path, state in _first_states(step).items():
            expected.setdefault(path, state)
    for index in sorted(applied.steps):
        expected |= applied.steps[index].after
    return expected


def _first_states(step: Any) -> States:
    if isinstance(step, RunCommand):
        return dict(step.before)
    if isinstance(step, RenameFile):
        return {step.path: step.before, step.to: ABSENT}
    return {step.path: step.before} if hasattr(step, "before") else {}
