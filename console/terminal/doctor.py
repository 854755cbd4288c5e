"""What ``distill doctor`` finds: terminal, link, engine, workspace, disk; each with a next step."""

from __future__ import annotations

import platform
import shutil
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from console.reading.git_facts import GIT_SECONDS
from console.terminal.link_profile import LinkProfile
from console.terminal.terminal_facts import TerminalFacts
from pipeline.contracts.discovery import EngineChoice, engine_argv, find_workspace
from pipeline.contracts.faults import ExitCode, OperatorError, SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.platform.engine_choice import choose_engine
from pipeline.platform.engine_modules import load_all
from pipeline.platform.git import GitError, git_version
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended
from pipeline.reading.lock_facts import read_lock

PROBE_SECONDS = 20.0
LOW_DISK_BYTES = 2_000_000_000
_PACKAGES = ("distill-console", "textual", "rich", "pydantic", "orjson", "msgspec")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``next_step`` is empty where nothing is to be done."""

    subject: str
    level: Level
    found: str
    next_step: str = ""


def _judged(subject: str, is_well: bool, found: str, advice: str, trouble: Level = Level.WARN) -> Finding:
    """``trouble`` and the advice where it is not well."""
    return Finding(subject, Level.OK, found) if is_well else Finding(subject, trouble, found, advice)


def terminal_findings(facts: TerminalFacts, link: LinkProfile) -> list[Finding]:
    """PURE: the terminal as it was found, and what its user might change."""
    streams = ", ".join(
        f"{name} {'a terminal' if is_tty else 'no terminal'}"
        for name, is_tty in (
            ("stdin", facts.stdin_is_tty),
            ("stdout", facts.stdout_is_tty),
            ("stderr", facts.stderr_is_tty),
        )
    )
    small = facts.is_terminal and (facts.columns < 80 or facts.lines < 24)
    encoding = f"encoding {facts.encoding or 'unknown'}, locale {facts.locale_name or 'not set'}"
    colour = f"TERM {facts.term or 'not set'}, {facts.colours} colours, background {facts.background}"
    colour += ", NO_COLOR" if facts.no_color else ""
    hint = ""
    if facts.is_terminal and facts.colours not in ("truecolor", "none") and not facts.no_color:
        hint = "If it shows 24-bit colour: export COLORTERM=truecolor, or distill --profile rich"
    without = "The console needs a terminal; without one use: distill status"
    narrow = "80x24 shows all four panes; below it one pane at a time is shown"
    profile, other = f"{link.profile}: {'; '.join(link.reasons)}", "distill --profile rich|lean, or --plain"
    return [
        _judged("terminal", facts.is_terminal, streams, without),
        _judged("size", not small, f"{facts.columns}x{facts.lines}", narrow),
        _judged("text", facts.is_utf8, encoding, "For line drawing: export LC_ALL=C.UTF-8"),
        Finding("colour", Level.OK, colour, hint),
        Finding("link", Level.OK, link.link),
        Finding("profile", Level.OK, profile, f"Another one: {other}"),
    ]


def machine_findings() -> list[Finding]:
    """Versions of what runs here."""
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} missing")
    whole = not any(text.endswith("missing") for text in versions)
    again = "Install it again: pipx install --force distill-console"
    return [
        Finding("python", Level.OK, f"{platform.python_version()} at {sys.executable}"),
        _judged("packages", whole, ", ".join(versions), again, Level.BROKEN),
        _git(),
    ]


def workspace_findings(directory: str | None) -> list[Finding]:
    """The workspace, its lock, its disk and its engine; without a workspace, the installed engine."""
    try:
        root = find_workspace(directory)
    except SettingsError as error:
        nowhere = Finding("workspace", Level.WARN, error.fault.what_happened, error.fault.do_next)
        return [nowhere, engine_finding(EngineChoice("installed", None, "no workspace"))]
    findings = [Finding("workspace", Level.OK, str(root)), _lock(root), _disk(root)]
    try:
        findings += engine_findings(choose_engine(root), root)
    except OperatorError as error:
        findings.append(Finding("engine", Level.BROKEN, error.fault.what_happened, error.fault.do_next))
    return findings


def engine_finding(choice: EngineChoice) -> Finding:
    """Whether the engine can be imported, found out in a process of its own."""
    return engine_findings(choice)[0]


def engine_findings(choice: EngineChoice, root: Path | None = None) -> list[Finding]:
    """The same, and whether it takes the settings of ``root``: the one process answers both."""
    where = f"{choice.source} ({choice.why})"
    if choice.untrusted:
        found = f"unknown: {choice.untrusted}; it was not loaded; the installed engine is used"
        return [Finding("engine", Level.WARN, visible(found), "Look at it and trust it: distill trust")]
    asked = [["config", "-C", str(root), "show", "--json"]] if root is not None else []
    loaded = load_all(choice, limit_seconds=PROBE_SECONDS, commands=asked, cwd=root)
    if wrong := loaded.told_from():
        return [_engine_broken(f"{where}: {wrong}", choice)]
    found = f"{where}: {loaded.modules} modules load from {visible(loaded.place or '?')}"
    # Where the modules were known to load, no process was started that could answer.
    answers = loaded.answers or [_answer(choice, words, root) for words in asked]
    return [Finding("engine", Level.OK, found), *map(_settings, answers)]


def _answer(choice: EngineChoice, words: list[str], root: Path | None) -> Ended:
    """What a process of its own answers to an engine command."""
    return run(engine_argv(words), limit_seconds=PROBE_SECONDS, cwd=root, env=choice.environment())


def _settings(told: Ended) -> Finding:
    """What the engine said when it loaded the settings."""
    if told.refusal:
        repair = "Correct it, or its wizard restores the file: distill runbook open ENGINE.wont-start"
        return Finding("settings", Level.BROKEN, told.refusal, repair)
    is_well = told.exit_code == ExitCode.OK
    found = "the engine takes them" if is_well else f"unknown: {told.reason}"
    return _judged("settings", is_well, found, "See what it says: distill config show")


def _engine_broken(found: str, choice: EngineChoice) -> Finding:
    own = "Its wizard restores the file: distill runbook open ENGINE.wont-start"
    advice = own if choice.source == "workspace" else "Install the package again"
    return Finding("engine", Level.BROKEN, found, advice)


def _git() -> Finding:
    try:
        return Finding("git", Level.OK, visible(git_version(GIT_SECONDS), 80))
    except GitError as error:
        return Finding("git", Level.WARN, str(error), "Install git: restoring and releasing need it")


def _lock(root: Path) -> Finding:
    lock = read_lock(root, time.time())
    if lock.held:
        who = f"held by {lock.user or 'somebody'} on {lock.host or '?'}: {lock.command}, pid {lock.pid}"
        return Finding("lock", Level.OK, visible(who), "Watch it: distill console")
    if lock.open_intent:
        settles = "The next run settles it: distill run-all"
        return Finding("lock", Level.WARN, "free, but a commit is open", settles)
    return Finding("lock", Level.OK, "free")


def _disk(root: Path) -> Finding:
    try:
        usage = shutil.disk_usage(root)
    except OSError as error:
        return Finding("disk", Level.WARN, f"cannot be read: {error.strerror}", "Look at the mount: df .")
    found = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB free"
    advice = "Make room before a run: its outputs are staged beside the old ones"
    return _judged("disk", usage.free >= LOW_DISK_BYTES, found, advice)
