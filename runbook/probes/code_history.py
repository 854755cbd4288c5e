"""How the engine's code differs from what it was when all was well, and who changed it.

For a workspace that runs its own engine that is the last-good tag; for an installed engine it is
the record of the wheel that it was installed from. Nothing is imported or run: files are hashed,
and their syntax trees are read.
"""

from __future__ import annotations

import ast
import base64
import difflib
import hashlib
import sysconfig
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal

from pipeline.contracts.plurals import differ, plural
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.platform.git_objects import Change, Repository
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace

CODE = "code"
ENGINE = "pipeline"
DISTRIBUTION = "distill-console"
_SECONDS = 60.0
_MOST_DIFF_LINES = 60
_MOST_BYTES = 2**20
# Which phase a folder or file of the engine belongs to; the longest match counts.
_PHASES = (
    ("pipeline/schemas", "P1"),
    ("pipeline/streams", "P2"),
    ("pipeline/storage/source_lines", "P2"),
    ("pipeline/engine/mapping", "P2"),
    ("pipeline/engine/evidence", "P2"),
    ("pipeline/stages/scor", "P3"),
    ("pipeline/engine/score", "P3"),
    ("pipeline/stages", "P4"),
    ("pipeline/engine/emit", "P4"),
    ("pipeline/engine/reduce", "P4"),
    ("pipeline/engine/export", "P4"),
    ("pipeline/firewall", "P4"),
    ("pipeline/engine", "P5"),
    ("pipeline/storage", "P5"),
    ("pipeline/acceptance", "P6"),
    ("pipeline/replay", "P7"),
)


class ConstantChange(Record):
    """A name that is bound at the top of a module or class, with its expression then and now."""

    name: str
    before: str
    after: str
    line: int


class ChangedFile(Record):
    """``commits`` are those since the tag that touched it; ``uncommitted`` when HEAD has other bytes."""

    path: str
    kind: Literal["changed", "missing", "added"]
    phase: str | None
    diff: tuple[str, ...] = ()
    constants: tuple[ConstantChange, ...] = ()
    commits: tuple[str, ...] = ()
    uncommitted: bool = False

    @property
    def told(self) -> str:
        """``path:12 SFT_NEVER``, and who changed it: a place for a cause."""
        where = "".join(f":{each.line} {each.name}" for each in self.constants[:1])
        who = "not committed" if self.uncommitted else (self.commits[0] if self.commits else "")
        return f"{self.path}{where} ({self.kind}{', ' + who if who else ''})"


class CodeHistory(Record):
    """``source`` is ``workspace`` (compared with the tag) or ``installed`` (with the wheel's record)."""

    source: Literal["workspace", "installed"]
    tag: str
    commit: str | None = None
    trouble: str = ""
    files: tuple[ChangedFile, ...] = ()

    @property
    def against(self) -> str:
        """What the code is compared with."""
        return self.tag if self.source == "workspace" else "the wheel's record"

    def of_phase(self, *phases: str) -> tuple[ChangedFile, ...]:
        return tuple(each for each in self.files if each.phase in phases)


def phase_of(path: str) -> str | None:
    """The phase whose code ``path`` is; None for what serves all of them."""
    matches = [(len(start), phase) for start, phase in _PHASES if path.startswith(start)]
    return max(matches)[1] if matches else None


def code_probe(under: Sequence[str] = (ENGINE,), *, title: str = "The code since the last-good tag") -> Probe:
    """The probe that finds a ``CodeHistory``."""
    return record_probe(CODE, title, _SECONDS, lambda workspace, _: code_history(workspace, under), _lines)


def code_history(workspace: Workspace, under: Sequence[str] = (ENGINE,)) -> CodeHistory:
    """Every file at or below ``under`` that is not as it was. Raises GitError."""
    if not workspace.runs_own_engine:
        return _installed(workspace)
    git, tag = workspace.git, workspace.last_good_tag
    commit = git.resolve_tag(tag)
    if commit is None:
        return CodeHistory(source="workspace", tag=tag, trouble=f"there is no tag {tag} to compare with")
    head = git.resolve("HEAD")
    files = tuple(
        _changed_file(workspace, git, commit, head, change)
        for change in git.changes(commit, under)
        if change.kind in ("changed", "missing", "added")
    )
    return CodeHistory(source="workspace", tag=tag, commit=commit, files=files)


def _changed_file(
    workspace: Workspace, git: Repository, commit: str, head: str | None, change: Change
) -> ChangedFile:
    before = git.blob(change.entry.oid) if change.entry is not None else b""
    path = workspace.root / change.path
    after = disk.read_plain(path) if change.kind != "missing" else b""
    commits = git.log([change.path], since=commit) if head else []
    committed = git.bytes_at(head, change.path) or b""
    return ChangedFile(
        path=change.path,
        kind=change.kind,
        phase=phase_of(change.path),
        diff=_diff(change.path, before, after),
        constants=tuple(_constants(before, after)) if change.path.endswith(".py") else (),
        commits=tuple(each.told for each in commits),
        uncommitted=committed != after,
    )


def _diff(path: str, before: bytes, after: bytes) -> tuple[str, ...]:
    if max(len(before), len(after)) > _MOST_BYTES:
        return (f"{path}: too large to show line by line",)
    lines = difflib.unified_diff(
        before.decode("utf-8", "replace").splitlines(),
        after.decode("utf-8", "replace").splitlines(),
        f"{path} (last good)",
        f"{path} (now)",
        lineterm="",
    )
    shown = list(lines)
    left = len(shown) - _MOST_DIFF_LINES
    more = [f"… {plural(left, 'more line')}"] if left > 0 else []
    return (*shown[:_MOST_DIFF_LINES], *more)


def _constants(before: bytes, after: bytes) -> list[ConstantChange]:
    then, now = _bound(before), _bound(after)
    return [
        ConstantChange(
            name=name,
            before=then.get(name, ("(not there)", 0))[0],
            after=now.get(name, ("(not there)", 0))[0],
            line=now.get(name, then.get(name, ("", 1)))[1],
        )
        for name in dict.fromkeys((*then, *now))
        if then.get(name, ("", 0))[0] != now.get(name, ("", 0))[0]
    ]


def _bound(source: bytes) -> dict[str, tuple[str, int]]:
    """Names bound at the top of the module and of its classes: expression or annotation, and line.

    Code that does not parse binds nothing: its diff has to speak.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, tuple[str, int]] = {}
    for prefix, body in [("", tree.body)] + [
        (f"{node.name}.", node.body) for node in tree.body if isinstance(node, ast.ClassDef)
    ]:
        for node in body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[prefix + target.id] = (ast.unparse(node.value), node.lineno)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                value = f" = {ast.unparse(node.value)}" if node.value is not None else ""
                found[prefix + node.target.id] = (ast.unparse(node.annotation) + value, node.lineno)
    return found


def _installed(workspace: Workspace) -> CodeHistory:
    """The installed package's files against the hashes in the wheel's record."""
    history = CodeHistory(source="installed", tag=workspace.last_good_tag)
    try:
        recorded = metadata.distribution(DISTRIBUTION).files or []
    except metadata.PackageNotFoundError:
        return history.model_copy(update={"trouble": f"no record of an installed {DISTRIBUTION}"})
    engine = [each for each in recorded if each.parts[0] == ENGINE and each.hash is not None]
    if not engine:
        why = "it is an editable installation: its record lists no files to compare with"
        return history.model_copy(update={"trouble": why})
    folder = Path(sysconfig.get_path("purelib"))
    files = []
    for each in engine:
        path = Path(str(each.locate()))
        kind = _against_record(path, each.hash.value if each.hash else "")
        if kind is not None:
            name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(each)
            files.append(ChangedFile(path=name, kind=kind, phase=phase_of(name), uncommitted=True))
    return history.model_copy(update={"files": tuple(files)})


def _against_record(path: Path, recorded: str) -> Literal["changed", "missing"] | None:
    try:
        data = disk.read_plain(path)
    except OSError:
        return "missing"
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return None if digest == recorded else "changed"


def _lines(history: CodeHistory) -> list[str]:
    if history.trouble:
        return [history.trouble]
    lines = [differ(len(history.files), f"from {history.against}")]
    for each in history.files:
        lines.append(each.told)
        lines += [f"    {one.name}: {one.before} → {one.after}" for one in each.constants]
        lines += [f"    {line}" for line in each.diff]
    return [visible(line) for line in lines]
