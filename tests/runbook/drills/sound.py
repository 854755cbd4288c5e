"""The sound workspace of the drills: built once, copied for each walk."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from runbook.drills.build import build_sound
from runbook.drills.drill import Scene, seeded


def sound_template(above: Path) -> Path:
    """The workspace ``above/sound``, built by whoever comes first; the others wait for it."""
    built = above / "sound"
    with (above / "sound.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            root = above / "building"
            shutil.rmtree(root, ignore_errors=True)
            build_sound(root, lambda _text: None)
            root.rename(built)
    return built


def sound_copy(template: Path, root: Path, seed: int) -> Scene:
    shutil.copytree(template, root, symlinks=True)
    return seeded(root, seed)
