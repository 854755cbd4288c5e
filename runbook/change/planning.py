"""What a plan is made with: the workspace, the incident it belongs to, who, and the clock."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.contracts.moments import precise_utc
from runbook.change.files import read_bytes, state_of
from runbook.change.plan import AppendLine, Draft, FileState, Kept, Plan, RenameFile, Step, WriteFile
from runbook.probes.workspace import Workspace


def _state(data: bytes, mode: int | None) -> FileState:
    return FileState(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), mode=mode)


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

    def renamed(self, path: str, to: str, says: str) -> RenameFile:
        """A step; so are those that follow."""
        by_hand = f"mv -n {shlex.quote(path)} {shlex.quote(to)}"
        return RenameFile(path=path, to=to, before=self.state(path), says=says, by_hand=by_hand)

    def beside(self, path: str, mark: str) -> str:
        """A free name for ``path``: the mark and the time behind it."""
        epoch = int(self.now)
        while not self.state(f"{path}{mark}{epoch}").is_absent:
            epoch += 1
        return f"{path}{mark}{epoch}"

    def appended(self, path: str, text: str, says: str, by_hand: str) -> AppendLine:
        before = self.state(path)
        whole = b"" if before.is_absent else read_bytes(self.workspace.root, path)
        # A new file gets the mode of an append, which is private; git keeps none of it.
        after = _state(whole + text.encode() + b"\n", before.mode or 0o600)
        return AppendLine(path=path, line=text, before=before, after=after, says=says, by_hand=by_hand)

    def rewritten(self, path: str, before: FileState, data: bytes, says: str, by_hand: str) -> WriteFile:
        """``before`` is what ``data`` was made from; ``data`` has to be among the draft's contents."""
        after = _state(data, before.mode)
        content = Kept(sha256=after.sha256 or "")
        return WriteFile(path=path, before=before, after=after, content=content, says=says, by_hand=by_hand)

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
            made_at=precise_utc(self.now),
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
