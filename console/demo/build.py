"""Build a demo workspace beside its place, then move it there in one step.

An interrupted build leaves a dot-directory and never half a workspace. What stands at the
place is replaced only when it is a demo workspace of that very place; anything else is refused.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

from console.demo import history
from console.demo.history import Repository
from console.demo.sources import Sources, copy_sources, engine_package
from pipeline.contracts import discovery, paths
from pipeline.contracts.faults import (
    EngineUnavailableError,
    SettingsError,
    StorageError,
    WorkspaceLockedError,
)
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.process import run
from pipeline.reading.lock_facts import read_lock

# Says that `distill demo` made this directory at this place. A copy or a moved workspace has
# the wrong path in it and is never replaced.
MARKER = paths.STATE / "demo.json"
_INIT_SECONDS = 120.0


def build_workspace(place: Path, sources: Sources) -> Path:
    """Build at ``place`` and return the resolved root.

    Raises SettingsError for a place that is not ours, WorkspaceLockedError while a run works
    there, StorageError, and EngineUnavailableError when the engine cannot even make a workspace.
    """
    root = place.expanduser().resolve()
    try:
        _check_replaceable(root)
        root.parent.mkdir(parents=True, exist_ok=True)
        _build(root, sources)
    except OSError as cause:
        raise StorageError.of(
            code="demo_not_built",
            what_happened=f"The demo workspace {root} could not be built: {cause}.",
            kept_safe="The unfinished workspace was removed; what stood there before is as it was.",
            do_next="Make room or give permission there, or name another place with --dir.",
            file=str(root),
        ) from cause
    return root


def _build(root: Path, sources: Sources) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{root.name}.", suffix=".building", dir=root.parent))
    try:
        staging = aside / root.name  # templates carry the directory's name; init makes it
        _fill(staging, sources)
        marker = staging / MARKER
        marker.parent.mkdir(mode=0o700, exist_ok=True)
        claim = {"made_by": "distill demo", "place": str(root)}
        marker.write_text(json.dumps(claim) + "\n", encoding="utf-8")
        _move_into_place(staging, root)
        trust_what_we_made(root)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _check_replaceable(root: Path) -> None:
    if not root.exists():
        return
    if not root.is_dir() or (any(root.iterdir()) and not _is_our_demo(root)):
        raise SettingsError.of(
            code="demo_place_taken",
            what_happened=f"{root} is there already and is not a demo workspace made at this place.",
            kept_safe="Nothing in it was changed or removed.",
            do_next="Name a new directory: distill demo --dir DIR",
            file=str(root),
        )
    if read_lock(root, time.time()).held:
        raise WorkspaceLockedError.of(
            code="demo_in_use",
            what_happened=f"A run is in progress in the demo workspace {root}.",
            kept_safe="The run goes on and nothing was changed.",
            do_next=f"Watch it: distill -C {root}   (or wait for its end and build the demo again)",
            file=str(root),
        )


def _is_our_demo(root: Path) -> bool:
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(marker, dict) and marker.get("place") == str(root)


def _fill(workspace: Path, sources: Sources) -> None:
    _run_init(workspace)
    repository = Repository(workspace)
    repository.create()
    shutil.copytree(
        engine_package(),
        workspace / "pipeline",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    copy_sources(sources, workspace)
    sections = {
        "header": history.HEADER,
        "workspace": history.WORKSPACE,
        "engine": history.ENGINE,
        "scoring": history.SCORING,
        "export": history.EXPORT,
        "replay": history.REPLAY,
        "drift": history.DRIFT,
        "evaluation": sources.evaluation,
        "streams": sources.streams,
    }
    history.commit_phases(repository, sections)


def _run_init(workspace: Path) -> None:
    """What every workspace starts from (recon template, contract tests, .gitignore), by the engine."""
    done = run(
        discovery.engine_argv(["init", str(workspace)]),
        limit_seconds=_INIT_SECONDS,
        env=discovery.EngineChoice("installed", None, "demo").environment(),
    )
    if done.exit_code != 0:
        said = done.why or (done.said[0] if done.said else "it said nothing")
        raise EngineUnavailableError.of(
            code="demo_init_failed",
            what_happened=f"`distill init` ended with {done.exit_code}: {said}",
            kept_safe="The unfinished workspace was removed; nothing else was touched.",
            do_next="distill init in an empty directory shows the whole message.",
        )


def _move_into_place(staging: Path, root: Path) -> None:
    if not root.exists():
        staging.rename(root)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{root.name}.", suffix=".replaced", dir=root.parent))
    root.rename(old / "workspace")
    staging.rename(root)
    shutil.rmtree(old)
