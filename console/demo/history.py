"""The demo's commits: which phase brings which settings and which files.

The repository that is being built has its own identity, no hooks and nobody's configuration; ``distill.toml``
grows section by section with it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.contracts.paths import DEFAULT_TAG
from pipeline.platform.git import GitError, Person, make_repository, write_git

BRANCH = "main"
_AUTHOR = Person("Distill demo", "demo@distill.invalid")
# For whoever commits in the demo later.
_LOCAL_CONFIG = {
    "user.name": _AUTHOR.name,
    "user.email": _AUTHOR.email,
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "gc.auto": "0",
}


class Repository:
    """The repository at ``root``; ``create`` makes it or takes over one that is there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        with _git_errors_told():
            make_repository(self.root)
        for name, value in _LOCAL_CONFIG.items():
            self._git("config", "--local", name, value)

    def commit(self, paths: Sequence[str], subject: str, body: str) -> str:
        """Commit ``paths`` and return the commit's hash. A path that is not there is left out."""
        present = [path for path in paths if (self.root / path).exists()]
        if present:
            self._git("add", "--", *present)
        self._git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", subject, "-m", body)
        return self._git("rev-parse", "HEAD")

    def tag(self, name: str, message: str) -> None:
        self._git("tag", "--annotate", "-m", message, "--end-of-options", name)

    def _git(self, *arguments: str) -> str:
        with _git_errors_told():
            return write_git(self.root, arguments, _AUTHOR)


@contextlib.contextmanager
def _git_errors_told() -> Iterator[None]:
    try:
        yield
    except GitError as cause:
        raise StorageError.of(
            code="repository_not_built",
            what_happened=f"The demo's history could not be made: {cause}",
            kept_safe="The unfinished workspace was removed; nothing else was touched.",
            do_next="Check git, the disk and the directory's permissions, then run this command again.",
        ) from cause


HEADER = """\
# The settings of this demo workspace. It was made by `distill demo`, which may replace it.
# `distill config show` prints every setting, also those that are not here, and its origin.
"""
WORKSPACE = f"""\
[workspace]
name = "demo"
last_good_tag = "{DEFAULT_TAG}"
"""
ENGINE = """\
[engine]
# The engine that runs is the copy in pipeline/, so that restoring a file of it repairs it.
source = "workspace"
"""
SCORING = """\
[scoring]
accept_at = 1.0
partial_at = 0.5
"""
EXPORT = """\
[export]
validation_share = 0.1
"""
REPLAY = """\
[replay]
model = "extractive"
"""
DRIFT = """\
[drift]
warn_pct = 20.0
"""
_SETTINGS = ("header", "workspace", "engine", "scoring", "export", "replay", "drift", "phases")
_ORDER = (*_SETTINGS, "evaluation", "streams")


def render(sections: Mapping[str, str]) -> str:
    """One file from named sections, always in the same order; streams, the longest part, last."""
    return "\n".join(sections[name] for name in _ORDER if name in sections)


def phases(commits: Mapping[str, str]) -> str:
    """The section that names the commit which finished each phase."""
    lines = ["[phases]", *(f'{phase} = "{commit}"' for phase, commit in commits.items())]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class PhaseCommit:
    """``files`` may be directories; what an earlier phase committed is not committed again."""

    phase: str
    subject: str
    body: str
    files: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


PHASES: tuple[PhaseCommit, ...] = (
    PhaseCommit(
        "P0",
        "recon: say what the sources are",
        "The workspace is named and its log sources are described.",
        (".gitignore", str(paths.RECON_DOC)),
        ("header", "workspace", "engine"),
    ),
    PhaseCommit(
        "P1",
        "schemas: pin the shape of every row",
        "Rows that do not fit a schema are refused, never repaired.",
        ("pipeline/__init__.py", "pipeline/contracts", "pipeline/schemas"),
    ),
    PhaseCommit(
        "P2",
        "materialise: turn source lines into evidence",
        "Each stream is declared in distill.toml; a line becomes evidence or a skip with a reason.",
        ("pipeline/storage", "pipeline/settings", "pipeline/streams"),
        ("streams",),
    ),
    PhaseCommit(
        "P3",
        "score: give each run one verdict",
        "Ordered rules, first match wins; thresholds are settings.",
        ("pipeline/stages/score.py", "pipeline/stages/__init__.py"),
        ("scoring",),
    ),
    PhaseCommit(
        "P4",
        "export: write RAG, SFT and preference rows behind the firewall",
        "Only accepted and partially accepted runs may be trained on.",
        ("pipeline/stages", "pipeline/firewall"),
        ("export", "evaluation"),
    ),
    PhaseCommit(
        "P5",
        "receipts: claim what each stage did",
        "Inputs, outputs and counts with digests; one run_hash over all of them.",
        ("pipeline",),
    ),
    PhaseCommit(
        "P6",
        "acceptance: hold the workspace to its contract",
        "The tests in tests/ are what a release is checked with.",
        ("tests",),
    ),
    PhaseCommit(
        "P7",
        "replay: answer from playbooks with the built-in model",
        "The extractive model is offline, so a replay needs no network.",
        (),
        ("replay",),
    ),
    PhaseCommit(
        "P8",
        "audit: warn when a metric moves more than a fifth",
        "Drift is a soft alert: it warns, it does not fail a run.",
        (),
        ("drift",),
    ),
)


def commit_phases(repository: Repository, sections: Mapping[str, str]) -> dict[str, str]:
    """Commit P0 to P8, then name the commits in ``[phases]`` and set the last-good tag.

    ``sections`` holds every section's text but ``phases``. Returns phase → commit.
    """
    settings = repository.root / paths.SETTINGS
    written: dict[str, str] = {}
    commits: dict[str, str] = {}
    for step in PHASES:
        written |= {name: sections[name] for name in step.sections}
        _write(settings, render(written))
        commits[step.phase] = repository.commit(
            [str(paths.SETTINGS), *step.files], f"{step.phase} {step.subject}", step.body
        )
    written["phases"] = phases(commits)
    _write(settings, render(written))
    repository.commit(
        [str(paths.SETTINGS)], "release: name the commit of each phase", "The release manifest reads it."
    )
    repository.tag(paths.DEFAULT_TAG, "The last good state: what repairs restore to.")
    return commits


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
