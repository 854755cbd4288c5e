"""PURE: a plan, its steps, files before and after, and the hash that consent names.

A plan is made once and carried out as it stands: nothing is recomputed between the preview and
the change. Its canonical bytes include when it was made and for which incident, so that no two
plans share a hash.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field

from pipeline.platform.code_question import code_of
from runbook.probes.evidence import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileState(Record):
    """A file as found: digest, size and permission bits; all None when there is none."""

    sha256: Sha256 | None = None
    bytes: int | None = None
    mode: int | None = None

    @property
    def is_absent(self) -> bool:
        return self.sha256 is None


# No validator is made for it: who only looks for symptoms never needs one.
ABSENT = FileState.model_construct()


class GitBlob(Record):
    """New content that lies in the repository."""

    type: Literal["git_blob"] = "git_blob"
    oid: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]


class Kept(Record):
    """New content that lies in the incident's own store, under its digest."""

    type: Literal["kept"] = "kept"
    sha256: Sha256


Content = Annotated[GitBlob | Kept, Field(discriminator="type")]


class _Told(Record):
    """A step in words, and the command line that does the same by hand."""

    says: str = ""
    by_hand: str = ""


class _OfFile(_Told):
    path: str
    before: FileState


class WriteFile(_OfFile):
    """Put ``content`` at ``path``, all or nothing. ``before`` may be absent."""

    type: Literal["write_file"] = "write_file"
    after: FileState
    content: Content


class RemoveFile(_OfFile):
    """Take ``path`` away; its bytes stay in the incident's store.

    ``folders`` are removed after it where they are empty then, innermost first.
    """

    type: Literal["remove_file"] = "remove_file"
    folders: tuple[str, ...] = ()


class RenameFile(_OfFile):
    """Rename within the file system. ``to`` must be free; nothing is ever overwritten."""

    type: Literal["rename_file"] = "rename_file"
    to: str


class AppendLine(_OfFile):
    """Append one line to an append-only file."""

    type: Literal["append_line"] = "append_line"
    line: str
    after: FileState


class TruncateFile(_OfFile):
    """Cut ``path`` back to its first bytes: the undo of an append after which nothing followed."""

    type: Literal["truncate_file"] = "truncate_file"
    after: FileState


class RunCommand(_Told):
    """Run the engine (``distill ARGUMENTS…``) and note what it changed.

    ``touches`` are the files and folders it may change (``leaves`` below them it does not, such as
    the folders of past runs), ``appends`` the files that it only appends to. ``before`` holds
    every file found there, so that a change since voids the plan and the undo knows where to go
    back to. ``ends_with`` are the exit codes that count as done. What is not ``repeatable`` is
    not run again when nobody saw its end.
    """

    type: Literal["run_command"] = "run_command"
    arguments: tuple[str, ...]
    touches: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    before: dict[str, FileState] = Field(default_factory=dict)
    ends_with: tuple[int, ...] = (0,)
    seconds: float = 3600.0
    repeatable: bool = True


class PruneKept(_Told):
    """Delete the originals that the incident ``path`` keeps; ``before`` holds each of these files.

    Nothing keeps them: what was changed there cannot be undone any more.
    """

    type: Literal["prune_kept"] = "prune_kept"
    path: str
    before: dict[str, FileState] = Field(default_factory=dict)


class Manual(Record):
    """Something only a person can do: the words, and the command line to copy."""

    type: Literal["manual"] = "manual"
    says: str
    by_hand: str = ""


FileStep = WriteFile | RemoveFile | RenameFile | AppendLine | TruncateFile
Step = Annotated[
    WriteFile | RemoveFile | RenameFile | AppendLine | TruncateFile | RunCommand | PruneKept | Manual,
    Field(discriminator="type"),
]


class Plan(Record):
    """What will be done, in which order, and how it is taken back.

    ``reads`` are files that are not changed but on which the plan rests; a change of one voids
    it like a change of a file it writes. ``verify`` names the symptom whose detector must be
    green afterwards. ``ends`` is *mitigated* where the action contains damage without
    repairing it. ``undoes`` is set on a plan that takes an earlier one back.
    """

    schema_version: Literal[1] = 1
    incident_id: str
    symptom_id: str | None
    action: str
    title: str
    made_at: str
    made_by: str
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    reads: dict[str, FileState] = Field(default_factory=dict)
    tag: str | None = None
    commit: str | None = None
    reversible: bool = True
    undo: str
    verify: str | None = None
    ends: Literal["resolved", "mitigated"] = "resolved"
    undoes: Sha256 | None = None
    notes: tuple[str, ...] = ()

    def canonical(self) -> bytes:
        """The bytes that the hash covers: sorted members, no white space, UTF-8."""
        data = self.model_dump(mode="json")
        return json.dumps(
            data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode("utf-8", "surrogatepass")

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def code(self) -> str:
        """Four digits of the hash: what a person types to consent to just this plan."""
        return code_of(self.hash)

    @property
    def command(self) -> str:
        """The command line that carries it out."""
        return f"distill runbook apply --plan {self.hash} --approve-as NAME --reason WHY"

    @property
    def needs_rehearsal(self) -> bool:
        """A rename takes itself back; what has no way back, or is a person's own, cannot be rehearsed."""
        return any(not isinstance(step, RenameFile | PruneKept | Manual) for step in self.steps)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that is known to change, in order of the steps."""
        found: dict[str, None] = {}
        for step in self.steps:
            match step:
                case RunCommand() | Manual():
                    continue
                case RenameFile():
                    found |= {step.path: None, step.to: None}
                case PruneKept():
                    found |= dict.fromkeys(step.before)
                case _:
                    found[step.path] = None
        return tuple(found)


class Draft(Record):
    """A plan with the new content that is not yet in the incident's store, by digest."""

    plan: Plan
    contents: dict[str, bytes] = Field(default_factory=dict)

    def noting(self, *notes: str) -> Draft:
        """The same with more to know of it before consent."""
        plan = self.plan.model_copy(update={"notes": (*self.plan.notes, *notes)})
        return self.model_copy(update={"plan": plan})


class Rehearsal(Record):
    """The plan and its undo, carried out in a copy. ``detail`` says what differed when it failed.

    ``left_out`` says which runs were not rehearsed, and why: code that nobody trusts yet is not run.
    """

    ok: bool
    took_seconds: float
    detail: str
    left_out: str = ""
    changed: tuple[str, ...] = ()
    linked_bytes: int = 0
    copied_bytes: int = 0
