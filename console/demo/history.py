"""The demo's commits: which phase brings which settings and which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.demo import settings_text
from console.demo.repository import Repository
from pipeline.contracts import paths


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
        ("export",),
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
        _write(settings, settings_text.render(written))
        commits[step.phase] = repository.commit(
            [str(paths.SETTINGS), *step.files], f"{step.phase} {step.subject}", step.body
        )
    written["phases"] = settings_text.phases(commits)
    _write(settings, settings_text.render(written))
    repository.commit(
        [str(paths.SETTINGS)], "release: name the commit of each phase", "The release manifest reads it."
    )
    repository.tag(paths.DEFAULT_TAG, "The last good state: what repairs restore to.")
    return commits


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
