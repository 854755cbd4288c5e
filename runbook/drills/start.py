"""Start a drill: a sound workspace, its fault, and a note of both for ``distill drill check``."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.temporary import new_folder
from pipeline.platform.trust_book import remember
from runbook.change.refusals import refused
from runbook.drills.build import build_sound
from runbook.drills.drill import Drill, Planted, Scene, seeded
from runbook.probes.evidence import Record

NOTE = paths.STATE / "drill.json"
# Of those that are told while it is built: the workspace, a run, an audit, the fault, an audit of it or none.
STEPS = 5
_LEFT_OUT = (".git/", f"{paths.STATE}/", "reports/")
# A row written again says when: that alone is no difference.
_RECORDED_AT = re.compile(rb',"recorded_at":"[^"\n]*"\}$', re.MULTILINE)


class DrillNote(Record):
    """What was planted, kept from the operator until ``check``. Times are seconds since the epoch."""

    schema_version: int = 1
    drill: str
    symptom_id: str
    seed: int
    started_at: float
    says: str
    cause: str
    also: tuple[str, ...]
    sound: dict[str, str]
    planted: dict[str, str]


def start_drill(drill: Drill, seed: int, place: Path | None, say: Callable[[str], None]) -> Path:
    """The root of the broken workspace, below a private temporary folder unless ``place`` is given.

    Raises RefusedError for a place that is not free, StorageError when it cannot be built; what was
    built by then is removed.
    """
    root = _free(place, drill)
    try:
        build_sound(root, say)
        break_sound(root, drill, seed, say)
    except (OSError, StorageError) as error:
        shutil.rmtree(root, ignore_errors=True)
        if isinstance(error, OSError):
            raise storage_fault(error, root, "What was built of the drill was removed.") from error
        raise
    return root


def break_sound(root: Path, drill: Drill, seed: int, say: Callable[[str], None]) -> DrillNote:
    """Plant the drill's fault into a sound workspace, and note it there. Raises StorageError, OSError."""
    sound = digests(root)
    say("the fault")
    scene = seeded(root, seed)
    told = planted(drill, scene)
    say("the night's audit of it" if told.audited else "no audit of it")
    if told.audited:
        scene.audit()
    note = DrillNote(
        drill=drill.id,
        symptom_id=drill.symptom_id,
        seed=seed,
        started_at=time.time(),
        says=told.says,
        cause=told.cause,
        also=told.also,
        sound=sound,
        planted=digests(root),
    )
    _write_note(root, note)
    return note


def planted(drill: Drill, scene: Scene) -> Planted:
    """Plant the fault. The operator of this workspace runs it, and so trusts it and every engine since the
    tag, which are the drill's own.
    """
    told = drill.plant(scene)
    trust_what_we_made(scene.root)
    git = scene.workspace.git
    good, head = git.resolve_tag(scene.workspace.last_good_tag), git.resolve("HEAD")
    if good is not None and head is not None:
        remember(scene.root, commits=f"{good}..{head}")
    return told


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file by its path, of rows without the time at which they were written."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(_LEFT_OUT) or "__pycache__" in name or path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if name.endswith(".jsonl"):
            data = _RECORDED_AT.sub(b"}", data)
        found[name] = hashlib.sha256(data).hexdigest()
    return found


def _free(place: Path | None, drill: Drill) -> Path:
    if place is None:
        return new_folder("distill-drill-").resolve() / drill.symptom_id
    root = place.expanduser().resolve()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise refused(
            "drill_place_taken", f"{root} is there already.", "Name a new directory, or leave --dir out."
        )
    root.parent.mkdir(parents=True, exist_ok=True)
    return root


def _write_note(root: Path, note: DrillNote) -> None:
    path = root / NOTE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(note.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")


def read_note(root: Path) -> DrillNote:
    """Raises RefusedError for a workspace that no drill was started in."""
    try:
        return DrillNote.model_validate_json((root / NOTE).read_bytes())
    except (OSError, ValueError) as error:
        raise refused(
            "no_drill", f"No drill was started in {root}.", "Start one: distill drill start SYMPTOM"
        ) from error
