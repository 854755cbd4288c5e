"""What a plan is made with: the workspace, the incident it belongs to, who, and the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from runbook.change.files import state_of
from runbook.change.plan import Draft, FileState, Plan, Step
from runbook.probes.workspace import Workspace


def utc_text(seconds: float) -> str:
    """``2026-04-27T08:41:07.250000Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Planning:
    """``now`` is seconds since the epoch; it appears in the plan, so it is asked once."""

    workspace: Workspace
    incident_id: str
    symptom_id: str | None
    actor: str
    now: float

    def state(self, path: str) -> FileState:
        """The file as it is. Raises RefusedError for anything but a plain file or nothing."""
        return state_of(self.workspace.root, path)

    def draft(
        self,
        action: str,
        title: str,
        steps: Iterable[Step],
        *,
        undo: str,
        contents: Iterable[bytes] = (),
        reads: Iterable[str] = (),
        reversible: bool = True,
        ends: Literal["resolved", "mitigated"] = "resolved",
        tag: str | None = None,
        commit: str | None = None,
        undoes: str | None = None,
        notes: Iterable[str] = (),
    ) -> Draft:
        """A plan with this incident's particulars."""
        plan = Plan(
            incident_id=self.incident_id,
            symptom_id=self.symptom_id,
            action=action,
            title=title,
            made_at=utc_text(self.now),
            made_by=self.actor,
            steps=tuple(steps),
            reads={path: self.state(path) for path in reads},
            tag=tag,
            commit=commit,
            reversible=reversible,
            undo=undo,
            verify=self.symptom_id,
            ends=ends,
            undoes=undoes,
            notes=tuple(notes),
        )
        return Draft(plan=plan, contents={hashlib.sha256(data).hexdigest(): data for data in contents})


def joined(title: str, drafts: Iterable[Draft], *, action: str | None = None) -> Draft:
    """Several drafts of one incident as one plan, in their order; one consent covers them all."""
    parts = list(drafts)
    first = parts[0].plan
    reads: dict[str, FileState] = {}
    contents: dict[str, bytes] = {}
    for part in parts:
        reads |= part.plan.reads
        contents |= part.contents
    plan = first.model_copy(
        update={
            "action": action or "+".join(dict.fromkeys(part.plan.action for part in parts)),
            "title": title,
            "steps": tuple(step for part in parts for step in part.plan.steps),
            "reads": reads,
            "tag": next((part.plan.tag for part in parts if part.plan.tag), None),
            "commit": next((part.plan.commit for part in parts if part.plan.commit), None),
            "reversible": all(part.plan.reversible for part in parts),
            "undo": " Then: ".join(dict.fromkeys(part.plan.undo for part in reversed(parts))),
            "ends": parts[-1].plan.ends,
            "notes": tuple(note for part in parts for note in part.plan.notes),
        }
    )
    return Draft(plan=plan, contents=contents)
