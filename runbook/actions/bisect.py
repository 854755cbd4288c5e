"""Find the commit that brought a fault, by ``git bisect run`` in a throw-away clone.

The clone gets no hooks and no settings of the repository, so checking out there runs nothing of
its. Sources and all else that the settings name are copied in once, and source roots outside are
linked to; the working tree of the workspace is never touched.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.faults import ExitCode
from pipeline.platform import disk
from pipeline.platform.git import GitError, clone_repository, resolve, run_git, scrubbed_environment
from pipeline.platform.git_objects import Commit, Repository
from pipeline.platform.lenient_json import object_of, objects_of
from pipeline.platform.process import run
from pipeline.platform.temporary import folder_for_now
from pipeline.platform.trust_book import read_book
from runbook.change.files import files_below
from runbook.change.source_roots import link_source_roots, place_of_copy
from runbook.probes.workspace import Workspace

_TELL_SECONDS = 0.2
_JUDGED = ("git bisect good", "git bisect bad", "git bisect skip")
_FIRST_BAD = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit", re.MULTILINE)


@dataclass(frozen=True)
class Bisection:
    """``commit`` is the first bad one, None where it could not be told; ``log`` is git's own."""

    commit: Commit | None
    log: str
    trouble: str = ""


def may_try(workspace: Workspace, good: str, bad: str) -> bool:
    """Whether a person agreed to run the engines of the commits from ``good`` to ``bad``."""
    return f"{good}..{bad}" in read_book().of(workspace.root).ranges


def find_commit(
    workspace: Workspace,
    *,
    good: str,
    bad: str = "HEAD",
    check: Sequence[str],
    seconds: float,
    under: Sequence[str] = (),
    prove_bad: bool = True,
) -> Bisection:
    """The first commit after ``good`` for which the engine command ``check`` ends with 1.

    0 is good, 1 is bad, anything else is a commit that cannot be tried. ``check`` runs with the
    engine that the clone's own settings ask for. ``good`` and ``bad`` are commits. ``bad`` is tried
    first, unless it is known to be what the workspace runs; ``good`` when nothing lies between it
    and the accused. ``under`` are the paths that matter: other commits are not tried.
    """
    with folder_for_now("distill-bisect-") as folder:
        settings = workspace.settings()
        try:
            clone = place_of_copy(folder, settings, "clone")
            clone_repository(workspace.root, clone, limit_seconds=120.0)
            first, last = resolve(clone, good), resolve(clone, bad)
            if first is None or last is None:
                return Bisection(None, "", f"{good if first is None else bad} names no commit")
            _copy_sources(workspace.root, clone)
            _copy_named(workspace.root, settings, clone)
            link_source_roots(workspace.root, settings, clone, folder)
            step = [sys.executable, "-P", "-m", "runbook.actions.bisect_check", str(clone), *check]
            if prove_bad and not _is_bad(clone, last, step, seconds):
                return Bisection(None, "", f"{last[:12]} itself does not end with 1")
            with _told(workspace, clone, _tries(clone, first, last, under)):
                return _bisect(clone, first, last, step, seconds, under)
        except (GitError, OSError) as error:
            return Bisection(None, "", str(error))


def _git(clone: Path, words: Sequence[str], seconds: float = 60.0) -> str:
    return run_git(clone, words, limit_seconds=seconds, environment=_environment()).decode("utf-8", "replace")


def _copy_sources(root: Path, clone: Path) -> None:
    for path in files_below(root, (str(paths.KNOWLEDGE_BASE),)):
        if Path(path).name.split(".")[0] not in paths.JOURNAL_STEMS and not (clone / path).exists():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, clone / path)


def _copy_named(root: Path, settings: Mapping[str, Any], clone: Path) -> None:
    """Copy what the settings name elsewhere: sources, evaluation sets, the files that exports are held to."""
    export = object_of(settings, "export")
    read = [*objects_of(settings, "stream"), *objects_of(settings, "evaluation")]
    patterns = [
        *(pattern for each in read for pattern in _texts(each.get("path"))),
        *(pattern for name in ("tokenizer", "render_check") for pattern in _texts(export.get(name))),
    ]
    for pattern in patterns:
        plain = PurePosixPath(os.path.normpath(pattern))
        if plain.is_absolute() or ".." in plain.parts:
            continue  # it leads out, to a source root
        for name in glob.iglob(pattern, root_dir=root, recursive=True):  # noqa: PTH207 - as the engine does
            source, target = root / name, clone / name
            is_new = source.is_file() and not target.exists() and not _is_made(name)
            if is_new and source.resolve().is_relative_to(root.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def _is_made(name: str) -> bool:
    """Whether the pipeline writes that file itself; no stream reads it, whatever a glob finds."""
    made = (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS, paths.REPORTS, paths.STATE)
    return any(PurePosixPath(name).is_relative_to(folder) for folder in made)


def _texts(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(each for each in listed if isinstance(each, str) and each)


def _environment() -> dict[str, str]:
    """What the check needs to find the installed engine, and nothing that leads git elsewhere."""
    inherited = {name: value for name, value in firewall_environment().items() if not name.startswith("GIT_")}
    return inherited | scrubbed_environment()


def _is_bad(clone: Path, commit: str, step: Sequence[str], seconds: float) -> bool:
    """Whether the check ends with 1 at just this commit."""
    _git(clone, ["checkout", "--quiet", "--force", "--detach", commit])
    ended = run(step, limit_seconds=seconds, cwd=clone, env=_environment())
    return ended.exit_code == ExitCode.CHECK_FAILED


def _tries(clone: Path, good: str, bad: str, under: Sequence[str]) -> int:
    """About how many commits a bisection tries. Raises GitError."""
    commits = _git(clone, ["rev-list", "--count", f"{good}..{bad}", "--", *under])
    return max(1, (int(commits) - 1).bit_length())


@contextlib.contextmanager
def _told(workspace: Workspace, clone: Path, tries: int) -> Iterator[None]:
    """Tell which commit is tried, as git's own log of the bisection has it, while the block runs."""
    ended = threading.Event()

    def watch() -> None:
        said = ""
        while not ended.wait(_TELL_SECONDS):
            try:
                log = disk.read_plain(clone / ".git" / "BISECT_LOG").decode("utf-8", "replace")
            except OSError:
                continue
            # Before the first try the log names the two ends, in one "start".
            judged = sum(row.startswith(_JUDGED) for row in log.splitlines())
            now = f"bisect: commit {min(judged + 1, max(tries, judged))} of {max(tries, judged)}"
            if now != said:
                workspace.tell(said := now)

    watcher = threading.Thread(target=watch, name="bisect", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _bisect(
    clone: Path, good: str, bad: str, step: Sequence[str], seconds: float, under: Sequence[str]
) -> Bisection:
    _git(clone, ["bisect", "start", bad, good, "--", *under])
    said = _git(clone, ["bisect", "run", *step], seconds)
    log = _git(clone, ["bisect", "log"])
    match = _FIRST_BAD.search(said)
    if match is None:
        return Bisection(None, log, "no single commit can be told: too many could not be tried")
    between = _git(clone, ["rev-list", "--max-count=1", f"{good}..{match[1]}^", "--", *under])
    if not between.strip() and _is_bad(clone, good, step, seconds):
        return Bisection(None, log, f"{good[:12]}, the last good one, ends with 1 as well")
    return Bisection(Repository(clone).commit(match[1]), log)
