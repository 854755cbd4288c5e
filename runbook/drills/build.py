"""Build the sound workspace of a drill: code with a history, data, a run, a green audit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pipeline
from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice, engine_argv
from pipeline.platform.process import run
from runbook.drills.scene import AIKO, INES, TOMAS, Scene, does_not_fit, seeded
from runbook.drills.sources import STREAMS, source_files

SETTINGS = f"""\
# The settings of a drill's workspace, which `distill drill start` made to be broken and repaired.
[workspace]
name = "drill"
last_good_tag = "{paths.DEFAULT_TAG}"

[engine]
# The engine that runs is the copy in pipeline/, so that restoring a file of it repairs it.
source = "workspace"

[rotation]
replay_log_mb = 1.0
"""
RECON = """\
# Recon

Two teams log to this machine. Harbour and Uplands write `runs-*.jsonl`: one question, one answer,
and a score between 0 and 1 from their tests, or none where nobody looked. The node watch writes
`chats.jsonl`: conversations with one tool call, scored 1 or 0. Both are read whole each night.

There is no personal data in either; services and nodes are made up. Each task of a team is tried
five times with three models, so that right and wrong answers to the same question can be paired.
"""
ON_CALL = "# On call\n\nInes until Thursday, then Tomas. Aiko knows the exporter.\n"
ON_CALL_DOC = "docs/on-call.md"
_INIT_SECONDS = 60.0


def build_sound(root: Path, say: Callable[[str], None]) -> Scene:
    """Fill the new directory ``root``. Raises StorageError; takes about ten seconds.

    ``say`` is told what is being done.
    """
    scene = seeded(root, 0)
    say("a workspace with sources, settings and an engine of its own, in git")
    _init(root)
    _commit_parts(scene)
    say("a run of it")
    scene.engine("run-all")
    say("a green audit of it, acceptance included")
    scene.engine("audit-full")
    return scene


def _init(root: Path) -> None:
    """What every workspace starts from (.gitignore, contract tests), by the installed engine."""
    ran = run(
        engine_argv(["init", str(root)]),
        cwd=root.parent,
        env=EngineChoice("installed", None, "drill").environment(),
        limit_seconds=_INIT_SECONDS,
    )
    if ran.exit_code != 0:
        raise does_not_fit(f"distill init ended with {ran.exit_code}: {ran.reason}")
    (root / paths.SETTINGS).unlink()
    shutil.copytree(
        Path(pipeline.__path__[0]).resolve(),
        root / "pipeline",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    for name, data in source_files().items():
        (root / paths.KNOWLEDGE_BASE / name).write_bytes(data)


def _commit_parts(scene: Scene) -> None:
    """Several commits by several people, so that the one which broke it can be told from others."""
    root = scene.root
    (root / paths.RECON_DOC).write_text(RECON, encoding="utf-8")
    scene.git("add", "docs", ".gitignore")
    scene.git("commit", "--quiet", "--no-verify", "-m", "recon: say what the sources are", author=INES)
    scene.git("add", "pipeline")
    scene.git("commit", "--quiet", "--no-verify", "-m", "engine: run our own copy", author=AIKO)
    (root / paths.SETTINGS).write_text(f"{SETTINGS}\n{STREAMS}", encoding="utf-8")
    scene.commit("streams: read runs and chats, and test the workspace", author=TOMAS)
    scene.git("tag", "--annotate", "-m", "The last good state: what repairs restore to.", paths.DEFAULT_TAG)
    (root / ON_CALL_DOC).write_text(ON_CALL, encoding="utf-8")
    scene.commit("docs: say who is on call", author=INES)
