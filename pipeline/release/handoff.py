"""The operator's hand-off page of one workspace, for whoever arrives cold."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path, PurePosixPath
from shlex import quote

from pipeline.contracts import paths
from pipeline.contracts.check_index import ACCEPTANCE, REQUIRED_CHECKS
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined, disk
from pipeline.platform.git import GitError, read_git_state, resolve, run_git
from pipeline.release.git_gates import NEXT_PHASE, phases_of
from pipeline.settings.model import Settings

HANDOFF = PurePosixPath("docs/distillation/operator-handoff.md")
MOST_COMMITS = 40

_PHASES = {
    "P0": ("recon", str(paths.RECON_DOC)),
    "P1": ("schemas", "distill schema check"),
    "P2": ("evidence", str(paths.EVIDENCE)),
    "P3": ("score", str(paths.SCORED_RUNS)),
    "P4": ("export and firewall", str(paths.EXPORTS)),
    "P5": ("receipts", f"{paths.REPORTS}/<run>/summary.json"),
    "P6": ("acceptance gate", str(paths.ACCEPTANCE_REPORT)),
    "P7": ("replay", str(paths.REPLAY_RUNS)),
    "P8": ("full audit and drift", str(paths.AUDIT_REPORT)),
}
_CODE = "pipeline/"
_OWN_PHASE = ("added by this workspace", "distill.toml")
_COMMANDS = (
    ("look", "distill status", "the dashboard as text; changes nothing"),
    ("look", "distill firewall", "scan the live SFT file; exit 10 is the alarm"),
    (
        "check",
        "distill audit-full",
        f"{len(REQUIRED_CHECKS)} required checks and the drift table, from the files alone",
    ),
    ("check", "distill acceptance", f"{len(ACCEPTANCE)} invariants on the fixture, in a temp root"),
    ("trace", "distill lineage ID", "from an exported row to the bytes of its source line"),
    ("trace", "distill explain RUN_ID", "which rule decided, and why the earlier ones did not"),
    ("run", "distill run-all", "sources to exports; nothing changed costs nothing"),
    ("run", "distill score --what-if partial_at=0.7", "the effect of a setting, before it is set"),
)
_CASUAL = (
    (
        "pipeline/schemas/sft.py",
        "its type is a wall of the firewall: quality_score has two values",
    ),
    ("pipeline/stages/export_sft.py", "SFT_NEVER is a wall of the firewall"),
    ("pipeline/stages/scoring_rules.py", "every verdict, and with it every export, follows from their order"),
    ("pipeline/stages/pairing.py", "its guards keep a run from being paired with itself or its own text"),
    ("distill.toml", "thresholds and stream fields move rows between categories; try --what-if first"),
    (str(paths.AUDIT_BASELINES), "append only: a row is a decision that somebody answers for"),
)


def write_handoff(workspace: Path, settings: Settings) -> Path:
    """Write the page; returns its path. Raises StorageError."""
    text = page(workspace, settings).encode("utf-8", "backslashreplace")
    confined.write_file(workspace, HANDOFF, text, mode=0o644)
    return workspace / HANDOFF


def what_is_wrong(workspace: Path, settings: Settings) -> str | None:
    """Why the page would mislead: it is missing, or older than what it describes."""
    try:
        standing = disk.read_plain(workspace / HANDOFF).decode("utf-8", "replace")
    except OSError:
        return "is missing"
    return None if standing == page(workspace, settings) else "is older than what it describes"


def page(workspace: Path, settings: Settings) -> str:
    """The page as Markdown. It holds no clock, so that it changes only with what it describes."""
    tag = settings.workspace.last_good_tag
    git = read_git_state(workspace)
    owns_engine = settings.engine.source == "workspace"
    lines = [
        f"# Hand-off: {_text(settings.workspace.name)}",
        "",
        "For whoever is new here. Written by `distill handoff`; write it again rather than edit it.",
        "",
        "## Phases",
        "",
        "| phase | what | commit | where to look |",
        "|---|---|---|---|",
    ]
    for phase in phases_of(settings.phases):
        what, where = _PHASES.get(phase, _OWN_PHASE)
        named = settings.phases.get(phase)
        commit = resolve(workspace, named) if named and git.problem is None else None
        shown = f"`{commit[:12]}`" if commit else "not recorded"
        lines.append(f"| {phase} | {what} | {shown} | `{where}` |")
    lines += ["", "## Known-good commands", ""]
    lines += [f"- {kind}: `{command}`, {what}" for kind, command, what in _COMMANDS]
    lines += [
        "",
        "## Rerun the audit and read the drift table",
        "",
        f"`distill audit-full` writes `{paths.AUDIT_REPORT}`: failing checks first, then each by phase,",
        "then every metric against its baseline. A metric that warns is either the new normal",
        "(`distill baseline accept --metric NAME --note WHY`) or was seen once",
        "(`distill baseline dismiss --metric NAME --note WHY`). Look at the firewall before either.",
        "",
        f"## Restore from the last-good tag, {_text(tag)}",
        "",
        f"- see what differs: `git diff {quote(tag)} -- {f'{_CODE} ' if owns_engine else ''}distill.toml`",
        "- one file: `distill restore PATH` (previews first; no hook or filter of the repository runs), then "
        "`distill run-all` and `distill audit-full`",
        "- undo that: `distill undo INCIDENT`; `distill incident list` names it",
        "- data, exports and reports are not tracked: `distill run-all` makes them again from the sources",
        *([] if owns_engine else ["- the installed engine is in no tag: `distill doctor` names its version"]),
        "",
        "## Add a phase without contaminating the corpus",
        "",
        "1. Work in a copy of the workspace; the corpus is only ever written by `distill run-all`.",
        "2. Add the check that would have caught your mistake before you add the phase.",
        f"3. Run acceptance ({_all_of(ACCEPTANCE)}), then the audit ({_all_of(REQUIRED_CHECKS)}), "
        "then the firewall on the new exports.",
        "4. Record the commit under a number that is free: "
        f"`distill release phases --set {_next_phase(settings)}=COMMIT`, commit, `distill release-freeze`.",
        "",
        "## Not to be changed casually",
        "",
    ]
    kept = [each for each in _CASUAL if owns_engine or not each[0].startswith(_CODE)]
    lines += [f"- `{file}`: {reason}" for file, reason in kept]
    lines += ["", f"## Commits up to {_text(tag)}", "", *_commits(workspace, tag), ""]
    return "\n".join(lines)


def _next_phase(settings: Settings) -> str:
    """The first name that no phase has: a recorded one is never written over."""
    number = int(NEXT_PHASE[1:])
    while f"P{number}" in settings.phases:
        number += 1
    return f"P{number}"


def _commits(workspace: Path, tag: str) -> list[str]:
    commit = resolve(workspace, tag)
    if commit is None:
        return [f"The tag {_text(tag)} names no commit here."]
    try:
        count = f"--max-count={MOST_COMMITS}"
        raw = run_git(workspace, ("log", count, "--format=%h %s", "--end-of-options", commit))
    except GitError as error:
        return [f"git could not list them: {_text(str(error))}"]
    return [f"- {_text(line)}" for line in raw.decode("utf-8", "replace").splitlines()]


def _text(text: str) -> str:
    """Text from the repository or the settings, as text: no markup, no control characters."""
    shown = visible(text)
    for character in "\\`*[]<>|":
        shown = shown.replace(character, f"\\{character}")
    return shown


def _all_of(checks: Sized) -> str:
    return f"{len(checks)} of {len(checks)}"
