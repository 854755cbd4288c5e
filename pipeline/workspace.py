"""Make a workspace.

``init_workspace`` lays down the files that ship as package data. It never overwrites: what is
there is kept and named, so running it again changes nothing. Finding a workspace is the
business of ``contracts.discovery``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError
from pipeline.platform import disk, disk_faults
from pipeline.platform.git import GitError, make_repository, read_git_state
from pipeline.settings import confine

# Package data cannot be called .gitignore: it would take effect where it lies.
_RENAMED = {"gitignore": ".gitignore"}
# Read by colleagues and by git, unlike data.
_TEMPLATE_MODE = 0o644
_MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True)
class InitReport:
    """What ``init`` did. Paths are relative to ``root``; ``git_problem`` is None if there is a repository."""

    root: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    git_problem: str | None


def init_workspace(root: Path) -> InitReport:
    """Make ``root`` a workspace. Raises InputError or StorageError; nothing there is overwritten."""
    root = _usable_root(root)
    made: list[str] = []
    kept: list[str] = []
    git_problem = _ensure_repository(root, made, kept)
    for relative, template in _templates():
        target = _target(root, relative)
        if os.path.lexists(target):
            kept.append(str(relative))
            continue
        text = template.read_text(encoding="utf-8").replace("@NAME@", _plain_name(root))
        _make_shared_folder(target.parent)
        disk.write_file(target, text.encode(), mode=_TEMPLATE_MODE)
        made.append(str(relative))
    knowledge_base = _target(root, paths.KNOWLEDGE_BASE)
    if knowledge_base.is_dir():
        kept.append(f"{paths.KNOWLEDGE_BASE}/")
    else:
        disk.make_folder(knowledge_base)
        made.append(f"{paths.KNOWLEDGE_BASE}/")
    return InitReport(root=root, made=tuple(made), kept=tuple(kept), git_problem=git_problem)


def _usable_root(root: Path) -> Path:
    try:
        root = confine.resolved(root)
        if not root.is_dir() and os.path.lexists(root):
            raise _not_possible(root, f"{root} is there and is not a directory.")
        _make_shared_folder(root)
    except OSError as error:
        raise disk_faults.storage_fault(error, root, "Nothing was written.") from error
    return root


def _ensure_repository(root: Path, made: list[str], kept: list[str]) -> str | None:
    """Note ``.git/`` as made or kept; why there is no repository, or None."""
    if os.path.lexists(root / ".git"):
        kept.append(".git/")
        return read_git_state(root).problem
    try:
        make_repository(root)
    except GitError as error:
        return str(error)
    made.append(".git/")
    return None


def _templates() -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Each shipped file with its place in the workspace, in a fixed order."""

    def walk(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from walk(entry, at / entry.name)
            else:
                yield at / _RENAMED.get(entry.name, entry.name), entry

    yield from walk(files("pipeline") / "templates" / "workspace", PurePosixPath())


def _target(root: Path, relative: PurePosixPath) -> Path:
    """Where ``relative`` goes. Raises InputError if a link would lead it out of ``root``."""
    target = root / relative
    if not confine.is_inside(target.parent, root, ()):
        raise _not_possible(target, f"{target} would lie outside {root}: a directory above it is a link.")
    return target


def _make_shared_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_faults.storage_fault(error, folder, "Nothing there was changed.") from error


def _plain_name(root: Path) -> str:
    """The directory's name, as it can stand between quotes in TOML."""
    plain = "".join(c for c in root.name if c.isprintable() and c not in '"\\@')[:_MAX_NAME_CHARACTERS]
    return plain.strip() or "distillation"


def _not_possible(path: Path, what_happened: str) -> InputError:
    return InputError.of(
        code="workspace_not_possible",
        what_happened=what_happened,
        kept_safe="Nothing there was changed.",
        do_next="Name another directory: distill init DIR",
        file=str(path),
    )
