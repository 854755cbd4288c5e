"""The filled workspace of ``walked`` with an engine of its own, committed and tagged."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pipeline
from pipeline.platform.engine_choice import trust_what_we_made
from tests.git_commands import git
from tests.runbook.symptoms.walked import filled
from tests.runbook.workspaces import TAG


def with_own_engine(root: Path) -> Path:
    """A copy of its own at ``root``; nothing is wrong with it."""
    shutil.copytree(_template(), root)
    return root


@cache
def _template() -> Path:
    above = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    root = filled(above / "w", more_settings='[engine]\nsource = "installed"\n').root
    ours = Path(pipeline.__file__).parent
    shutil.copytree(ours, root / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    settings = root / "distill.toml"
    settings.write_text(settings.read_text().replace('"installed"', '"workspace"'))
    with (root / ".gitignore").open("a") as file:
        file.write("__pycache__/\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "an engine of our own")
    git(root, "tag", "--force", TAG)
    return root


def edit(root: Path, path: str, old: str, new: str) -> None:
    """Replace the one occurrence of ``old``."""
    text = (root / path).read_text()
    assert text.count(old) == 1, f"{path} holds it {text.count(old)} times"
    (root / path).write_text(text.replace(old, new))
    trust_what_we_made(root)
