"""`make tour`: the console's screens, one after the other, as pictures with a page around them.

python -m tests.tour      # writes docs/tour/*.svg and docs/tour/README.md

A demo workspace is built, run and audited; then one console is walked through as a person would.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from console.live.live_feed import LiveFeed
from console.presentation.spans import plain_text
from console.state.view_state import Session, ViewState, initial
from console.terminal.link_profile import LinkProfile, Profile
from console.tui.app import ConsoleApp
from console.tui.widgets.canvas import Canvas
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord
from tests.console.apps import LINK
from tests.screenshots import append_a_forbidden_row, self_contained
from tests.waiting import until

if TYPE_CHECKING:
    from textual.pilot import Pilot

TOUR = Path(__file__).resolve().parents[1] / "docs/tour"
_WHO = {"SUDO_USER": "operator"}
# Longer than a dialogue is deaf to what was typed before it was seen.
EYES_SECONDS = 0.4
RICH = replace(LINK, reasons=("a tour",), flush_seconds=0.05)
LEAN = replace(RICH, profile=Profile.LEAN, link="ssh")


@dataclass(frozen=True)
class Stop:
    """``keys`` lead here from the stop before; ``shows`` is a word that must be on the screen."""

    name: str
    caption: str
    keys: tuple[str, ...]
    shows: str


STOPS = (
    Stop("dashboard", "The dashboard after a clean run: one glance, four panes, nothing loud.", (), "CLEAR"),
    Stop("phases", "A pane on the whole screen (3, then z).", ("3", "z"), "P9 release"),
    Stop("drift", "Drift against the baseline of the last audits.", ("z", "4", "z"), "DRIFT"),
    Stop("audit", "Audit: every check by phase, failing ones first (A).", ("z", "A"), "P0"),
    Stop("check", "One check: what was examined, and the command that does it again.", ("enter",), "Audit"),
    Stop("runs", "Past runs (R).", ("escape", "R"), "Runs"),
    Stop("files", "The data itself: evidence, scored runs, exports, quarantine (D).", ("D",), "evidence"),
    Stop("rows", "Rows of one file, however long it is.", ("enter",), "Rows"),
    Stop("skips", "Why source lines were left out (S).", ("S",), "Skips"),
    Stop("release", "The six gates of the release freeze (F).", ("F",), "Release"),
    Stop("log", "The event log (e), with a filter (/).", ("escape", "e"), "Log"),
    Stop("help", "Every key that works here (?).", ("escape", "question_mark"), "Other screens"),
    Stop("palette", "Any command by a part of its name (:).", ("escape", "colon"), "Start run-all"),
    Stop(
        "arm",
        "Nothing changes until the console is armed, with a reason (a).",
        ("escape", "a"),
        "Why?",
    ),
    Stop(
        "consent",
        "A change is a plan: what changes, what stays, how to undo it. Without an undo its code is typed.",
        (*"nightly", "enter", "s"),
        "START RUN-ALL",
    ),
)
ALARMS = (
    Stop("alarm", "A forbidden row has landed on disk: the pane changes its whole look.", (), "BREACH"),
    Stop("symptom", "What it is and what to do about it by hand (b).", ("b",), "By hand"),
    Stop(
        "wizard",
        "Its wizard: what containing it would do, before anything is asked (w).",
        ("w",),
        "Contain it now",
    ),
    Stop("runbook", "The runbook: every symptom, those that show first (W).", ("escape", "W"), "CLEAR"),
    Stop("incidents", "Incidents: what was done, by whom and why (I).", ("I",), "resolved"),
    Stop(
        "replay",
        "One of them, replayed step by step (enter, then the arrows).",
        ("enter", "left", "left", "left"),
        "KNOWN BY THEN",
    ),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "demo"
        _distill("demo", "--batch", "--rows", "20000", "--dir", str(root))
        _distill("audit-full", "-C", str(root))
        shutil.rmtree(TOUR, ignore_errors=True)
        TOUR.mkdir(parents=True)
        asyncio.run(_walk(root, "", RICH, (120, 36), STOPS))
        asyncio.run(_walk(root, "lean-", LEAN, (80, 24), STOPS[:1]))
        asyncio.run(_walk(root, "ascii-", replace(LEAN, ascii_only=True), (80, 24), STOPS[:1]))
        asyncio.run(_walk(root, "light-", replace(RICH, light=True), (120, 36), STOPS[:1]))
        _an_incident(root)
        append_a_forbidden_row(root / paths.SFT_EXPORT)
        asyncio.run(_walk(root, "", RICH, (120, 36), ALARMS))
    (TOUR / "README.md").write_text(page(), encoding="utf-8")


def _an_incident(root: Path) -> None:
    """A recon doc that somebody deleted, and that the wizard put back."""
    (root / paths.RECON_DOC).unlink()
    planned = _distill("-C", str(root), "--json", "runbook", "plan", "S1.P0.recon-doc")
    plan_hash = json.loads(planned)["plan_hash"]
    consent = ("--approve-as", "operator", "--reason", "a clean-up script deleted it")
    _distill("-C", str(root), "runbook", "apply", "--plan", plan_hash, *consent)


def page() -> str:
    """The index of the pictures."""
    lines = [
        "# A tour of the console",
        "",
        "Written by `make tour`, of the real console on the demo workspace; do not edit.",
    ]
    for stop in (*STOPS, *ALARMS):
        lines += [
            "",
            f"## {stop.name.capitalize()}",
            "",
            stop.caption,
            "",
            f"![{stop.name}]({stop.name}.svg)",
        ]
    lines += ["", "## The same dashboard, elsewhere", ""]
    for name, words in (
        ("lean-dashboard", "80x24 over ssh, in the terminal's own colours"),
        ("ascii-dashboard", "without UTF-8"),
        ("light-dashboard", "on a light background"),
    ):
        lines += [f"{words[0].upper()}{words[1:]}:", "", f"![{words}]({name}.svg)", ""]
    return "\n".join(lines).rstrip() + "\n"


def _distill(*words: str) -> bytes:
    # An audit that finds something ends with 1; the tour shows what it found.
    argv = [sys.executable, "-P", "-m", "console", *words]
    return subprocess.run(argv, check=False, capture_output=True, env={**os.environ, **_WHO}).stdout


async def _walk(
    root: Path, prefix: str, link: LinkProfile, size: tuple[int, int], stops: tuple[Stop, ...]
) -> None:
    session = Session(profile=link.profile, link=link.link, actor="operator")
    app = ConsoleApp(initial(str(root), session), LiveFeed(root), link)
    async with app.run_test(size=size) as pilot:
        await _until(pilot, app, "the firewall's word", lambda: _is_settled(app.state))
        for stop in stops:
            for key in stop.keys:
                await pilot.press(key)
                await pilot.pause(EYES_SECONDS if len(key) == 1 and key in "as" else 0.05)
            await _until(pilot, app, f"{stop.shows} on {stop.name}", partial(_shows, app, stop.shows))
            await pilot.pause(EYES_SECONDS)
            svg = self_contained(app.export_screenshot(title="distill"))
            (TOUR / f"{prefix}{stop.name}.svg").write_text(svg, encoding="utf-8")


async def _until(pilot: Pilot[int], app: ConsoleApp, what: str, is_so: Callable[[], bool]) -> None:
    def is_drawn() -> bool:
        app.flush()
        return is_so()

    await until(pilot, is_drawn, what)


def _is_settled(state: ViewState) -> bool:
    return state.heard_at is not None and state.firewall.state in (FirewallWord.CLEAR, FirewallWord.BREACH)


def _shows(app: ConsoleApp, words: str) -> bool:
    return words in _text(app)


def _text(app: ConsoleApp) -> str:
    """All that is on top, titles of boxes included."""
    boxes = [str(box.border_title) for box in app.screen.query(".box")]
    lines = [plain_text(spans) for canvas in app.screen.query(Canvas) for spans in canvas.lines]
    return "\n".join([*boxes, *lines])


if __name__ == "__main__":
    main()
