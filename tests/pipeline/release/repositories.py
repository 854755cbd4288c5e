"""Small git workspaces for the release gates."""

from __future__ import annotations

from pathlib import Path

from pipeline.release.git_gates import PHASES
from tests.git_commands import git
from tests.pipeline.engine.workspaces import make_workspace


def commit_all(workspace: Path, subject: str) -> str:
    git(workspace, "add", "-A")
    git(workspace, "commit", "-q", "--allow-empty", "-m", subject)
    return git(workspace, "rev-parse", "HEAD")


def repository(root: Path) -> Path:
    """A workspace with nine commits, the last-good tag, and data left out of the index."""
    workspace = make_workspace(root)
    (workspace / ".gitignore").write_text("data/\nexports/\nreports/\n.distill/\n", encoding="utf-8")
    git(workspace, "init", "-q", "-b", "main")
    for phase in PHASES:
        commit_all(workspace, f"{phase}: as it was")
    git(workspace, "tag", "distillation-v1.0.0")
    return workspace
