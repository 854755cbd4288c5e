"""What of a plan has been carried out: how each step writes it to the journal, and how it is read back.

An intent without an outcome is open: the process that wrote it is gone, and only the files can
say what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.contracts.incidents import IncidentEntry
from runbook.change.plan import ABSENT, FileState, Plan, PruneKept, RenameFile, RunCommand

if TYPE_CHECKING:
    from runbook.change.incident import Incident
    from runbook.probes.workspace import Workspace

States = dict[str, FileState]
Boundary = Callable[[str], None]


def no_boundary(_name: str) -> None:
    """Tests end the process here; an operator's night does it unasked."""


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


@dataclass(frozen=True)
class Finished:
    """When a plan was carried out and looked at, whether that was good, and when it was taken back."""

    at: str
    is_good: bool
    taken_back_at: str | None = None


def read_finished(entries: Sequence[IncidentEntry], plan: Plan) -> Finished | None:
    """How the plan ended since it was made last; None where it has not."""
    made = max((n for n, each in enumerate(entries) if _is(each, "planned", plan.hash)), default=0)
    looked = [each for each in entries[made:] if _is(each, "verified", plan.hash)]
    if not looked or not read_applied(entries, plan.hash).is_complete(plan):
        return None
    back = [each for each in entries[made:] if each.detail.get("undone") == plan.hash]
    return Finished(
        second_of(looked[-1]), looked[-1].state != "verifying", second_of(back[-1]) if back else None
    )


def _is(entry: IncidentEntry, kind: str, plan_hash: str) -> bool:
    return entry.kind == kind and entry.plan_hash == plan_hash


def second_of(entry: IncidentEntry) -> str:
    """When it was written, as people read it."""
    return f"{entry.recorded_at[:19]}Z"


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


@dataclass(frozen=True)
class StepAtWork:
    """A step while it is carried out: whose it is, and its entries in the journal.

    ``boundary`` is called with the name of each point at which a process may end; tests end it there.
    """

    workspace: Workspace
    incident: Incident
    plan_hash: str
    index: int
    boundary: Boundary = no_boundary

    def intend(
        self,
        kind: str,
        before: States,
        after: States | None = None,
        *,
        argv: Sequence[str] = (),
        **more: Any,
    ) -> None:
        """Journal the intent. Whatever the step replaces is kept by now. Raises StorageError."""
        self.boundary(f"kept:{self.index}")
        known = {"before": states_as_json(before)}
        if after is not None:
            known["after"] = states_as_json(after)
        self.incident.journal.append(
            "intent",
            "applying",
            argv=argv,
            inputs=_digests(before),
            outputs=_digests(after or {}),
            plan_hash=self.plan_hash,
            detail={"step": self.index, "type": kind, **known, **more},
        )
        self.boundary(f"intent:{self.index}")

    def record(
        self,
        before: States,
        found: States,
        folders: Sequence[str],
        *,
        done: bool,
        said: str = "",
        settled: bool = False,
        argv: Sequence[str] = (),
        **more: Any,
    ) -> None:
        """Journal how it ended: the files as they were, and as they are found. Raises StorageError."""
        known = {"done": done, "settled": settled, "said": said, "folders": list(folders)}
        states = {"before": states_as_json(before), "after": states_as_json(found)}
        self.incident.journal.append(
            "outcome",
            "applying",
            argv=argv,
            inputs=_digests(before),
            outputs=_digests(found),
            verdict="done" if done else "not done",
            plan_hash=self.plan_hash,
            detail={"step": self.index, **known, **more, **states},
        )


def _digests(states: States) -> dict[str, str | None]:
    return {path: state.sha256 for path, state in states.items()}


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
    if isinstance(step, RunCommand | PruneKept):
        return dict(step.before)
    if isinstance(step, RenameFile):
        return {step.path: step.before, step.to: ABSENT}
    return {step.path: step.before} if hasattr(step, "before") else {}
