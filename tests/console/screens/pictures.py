"""Every screen as text, in every state: a workspace to look at, and a walk that takes the pictures.

A picture is what the terminal would show, character by character. At the smallest size the inks
stand beneath it. One app walks through all screens of a state and is resized on each of them, so
that a picture costs a few hundredths of a second. Truecolor is in the SVG snapshots.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.state.view_state import ViewState
from console.terminal.link_profile import LinkProfile
from console.tui.screens.consent import TakeOverDialogue
from pipeline.contracts.status import GitStatus, iso_utc
from pipeline.platform.lock import Holder
from tests.console import check_reports, states
from tests.console.apps import ASCII, LEAN, StillApp, eyes_on
from tests.console.check_reports import AUDIT, AUDIT_EVENTS, FREEZE, FREEZE_EVENTS, HEAD, gates, result
from tests.console.row_workspaces import lineage_answer, with_rows
from tests.console.screens.opened import press, settled
from tests.console.screens.test_runs import state_of
from tests.console.states import NOW
from tests.console.workspaces import add_run, workspace_after_a_run, write
from tests.console.written_engine import write_engine

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZES = ((80, 24), (120, 40), (200, 60))
INKS_AT = SIZES[0]
_RUNS_AGO = (timedelta(hours=26), timedelta(hours=2, minutes=12))
Pictures = dict[str, list[str]]


@dataclass(frozen=True)
class Stop:
    """One screen on the walk: the golden file it belongs to, and the keys that lead there."""

    picture: str
    keys: tuple[str, ...]
    note: str = ""


LISTS = (
    Stop("runs", ("R",)), Stop("files", ("D",)), Stop("skips", ("S",)), Stop("audit", ("A",)),
    Stop("release", ("F",)), Stop("log", ("e",)), Stop("check", ("A", "enter")), Stop("drift", ("4", "z")),
)  # fmt: skip
PAGES = (
    Stop("run", ("R", "enter")),
    Stop("runs", ("R", "space", "down", "space"), "two are chosen"),
    Stop("compared", ("R", "space", "down", "space", "enter")),
    Stop("rows", ("D", "enter")),
    Stop("row", ("D", "enter", "enter")),
    Stop("row", ("D", "enter", "G", "enter"), "a torn one"),
    Stop("lineage", ("D", "enter", "down", "down", "t")),
    Stop("gate", ("F", "enter")),
    Stop("help", ("question_mark",), "of the dashboard"),
    Stop("help", ("A", "question_mark"), "of the audit"),
    Stop("palette", ("colon",), "read-only"),
    Stop("palette", ("colon", "a", "u", "d"), "a part typed"),
    Stop("arm", ("a",)),
)
DIALOGUES = ("palette", "arm")
ON_NO_WALK = ("take_over", "consent", "in_ascii")
WALKS: dict[str, tuple[Stop, ...]] = {
    "empty": LISTS,
    "running": LISTS,
    "healthy": (*LISTS, *PAGES),
    "warn": (
        *LISTS, Stop("symptom", ("b",)), Stop("check", ("A", *["down"] * 7, "enter"), "the one that warns"),
    ),
    "breach": (
        *LISTS, Stop("symptom", ("b",)), Stop("lineage", ("D", "enter", "down", "down", "t"), "it is broken"),
        Stop("gate", ("F", "enter")),
    ),
    "stale": LISTS,
    "removed": LISTS,
    "denied": LISTS,
}  # fmt: skip


@contextmanager
def folder_of(base: Path, name: str) -> Iterator[Path]:
    """A workspace that screens can name without telling where this test ran."""
    before = Path.cwd()
    base.mkdir()
    os.chdir(base)
    try:
        yield Path(name)
    finally:
        os.chdir(before)


def prepare(root: Path, name: str) -> ViewState:
    """The files that go with a state, and the state itself."""
    state: ViewState = getattr(states, name)()
    if name == "removed":
        return state
    root.mkdir()
    if name in ("empty", "denied"):
        return state
    old = 51 * 3600 if name == "stale" else 0
    for number, ago in enumerate(reversed(_RUNS_AGO)):
        finished = datetime.fromtimestamp(NOW, UTC) - ago - timedelta(seconds=old)
        run_id = f"{finished:%Y%m%dT%H%M%SZ}-{number:04x}"
        if number == 0:
            workspace_after_a_run(root, run_id=run_id, finished=finished)
        else:
            add_run(root, run_id=run_id, finished=finished, counts={"evidence": 11, "accepted": 5})
    with_rows(root)
    _reports(root, name, old)
    broken = ("the row says ACCEPTED, its scored run says REJECTED",) if name == "breach" else ()
    answer = json.dumps(lineage_answer(broken=broken))
    write_engine(root, f"print({answer!r})")
    for path in sorted(root.rglob("*")):
        os.utime(path, (NOW - 7_920, NOW - 7_920))
    git = GitStatus(True, "main", HEAD, False, "distillation-v1.0.0", HEAD)
    drift = states.drifted() if name in ("healthy", "warn", "breach") else state.drift
    base = replace(state.base, runs=state_of(root).runs, drift=drift) if state.base is not None else None
    return replace(state, git=git, drift=drift, runs=state_of(root).runs, base=base)


def _reports(root: Path, name: str, old: int) -> None:
    """Audit, acceptance and freeze as they would be in that state."""
    changed: dict[str, Any] = {}
    if name == "breach":
        changed = {"P4__sft_firewall": check_reports.leak()}
    elif name == "warn":
        words: dict[str, Any] = {
            "observed": "intercode_bash: -31 %",
            "detail": "accepted fell by 31 %",
            "failed": 1,
        }
        changed = {"P3__distribution": result("P3.distribution", "warn", **words)}
    checks = check_reports.audit_checks(**changed)
    write(root, AUDIT, check_reports.report("audit-full", checks, finished=NOW - 3_000 - old))
    acceptance = check_reports.report(
        "acceptance", check_reports.acceptance_checks(), finished=NOW - 3_400 - old
    )
    write(root, check_reports.ACCEPTANCE, acceptance)
    frozen = gates(git_clean="fail") if name == "breach" else gates()
    if name == "breach":
        frozen[0] |= {"observed": "2 changes", "detail": "not committed: README.md, exports/card.md"}
    notes = ["Nothing was tagged."]
    write(root, FREEZE, check_reports.freeze(frozen, finished=NOW - 2_400 - old, notes=notes))
    if name == "running":
        events = check_reports.events
        write(root, AUDIT_EVENTS, events("audit-full", checks[:5], started=NOW - 4, pid=48213, host="db2"))
        write(
            root, FREEZE_EVENTS, events("release-freeze", frozen[:2], started=NOW - 4, pid=48213, host="db2")
        )


class Walk:
    """All pictures of one state, with one app."""

    def __init__(self, name: str, link: LinkProfile = LEAN, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
        self.name, self.link, self.sizes = name, link, sizes
        self.pictures: Pictures = {}

    def take(self, base: Path) -> Pictures:
        with folder_of(base, "agent-logs") as root:
            state = prepare(root, self.name)
            asyncio.run(self._walk(replace(state, workspace=str(root))))
        return self.pictures

    async def _walk(self, state: ViewState) -> None:
        app = StillApp(state, self.link)
        async with app.run_test(size=self.sizes[0]) as pilot:
            for stop in WALKS[self.name]:
                if stop.picture in DIALOGUES:
                    continue
                await self._home(pilot, app, self.sizes[0])
                await press(pilot, *stop.keys)
                for size in self.sizes:
                    await self._picture(pilot, app, stop, size)
            # What stands behind a dialogue is not laid out anew while it is open.
            for size in self.sizes:
                await self._dialogues(pilot, app, size)

    async def _dialogues(self, pilot: Pilot[int], app: StillApp, size: tuple[int, int]) -> None:
        for stop in WALKS[self.name]:
            if stop.picture in DIALOGUES:
                await self._home(pilot, app, size)
                await press(pilot, *stop.keys)
                await self._picture(pilot, app, stop, size)
        if self.name == "healthy":
            await self._home(pilot, app, size)
            app.push_screen(TakeOverDialogue(Holder("mara", "db1", 4711, since=iso_utc(NOW - 300) or "")))
            await self._picture(pilot, app, Stop("take_over", ()), size)
        asked = {"healthy": "s", "running": "x"}.get(self.name)
        if asked is not None:
            app.fake_feed.has_run = self.name == "running"
            await self._home(pilot, app, size)
            app.changes.arm_because("a picture")
            await press(pilot, asked)
            await eyes_on(pilot)
            await self._picture(pilot, app, Stop("consent", ()), size)
            app.armed.disarm()
            app.changes.publish_arming()

    async def _home(self, pilot: Pilot[int], app: StillApp, size: tuple[int, int]) -> None:
        while len(app.screen_stack) > 1:
            app.pop_screen()
        dashboard = app.screen_stack[0]
        if getattr(dashboard, "zoomed", False):
            dashboard.toggle_zoom()  # type: ignore[attr-defined]  # it is the dashboard
        app._notice = ("", 0.0)
        await pilot.resize_terminal(*size)
        await settled(pilot)

    async def _picture(self, pilot: Pilot[int], app: StillApp, stop: Stop, size: tuple[int, int]) -> None:
        if size != (app.size.width, app.size.height):
            await pilot.resize_terminal(*size)
        await settled(pilot)
        title = " · ".join(part for part in (self.name, stop.note, f"{size[0]}x{size[1]}") if part)
        self.pictures.setdefault(stop.picture, []).append(_as_text(app, title, with_inks=size == INKS_AT))


def _as_text(app: StillApp, title: str, *, with_inks: bool) -> str:
    strips = app.screen._compositor.render_strips()
    lines = [f"=== {title}", *(strip.text.rstrip() for strip in strips)]
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    if with_inks:
        lines.append("--- inks")
        lines += [text for y, strip in enumerate(strips) if (text := _inks(y, strip))]
    return "\n".join(lines) + "\n"


def _inks(y: int, strip: Any) -> str:
    """Where on a line which ink begins; the terminal's own is left out."""
    runs = []
    at = 0
    for ink, segments in groupby(strip, key=lambda segment: str(segment.style or "")):
        width = sum(segment.cell_length for segment in segments)
        text = ink.replace("on default", "").replace("default", "").replace("not ", "-").strip()
        if text:
            runs.append(f"{at}:{text}")
        at += width
    return f"{y:02d} {'  '.join(runs)}" if runs else ""


def all_pictures(base: Path) -> Pictures:
    """Every state at every size; and one in a terminal that knows ASCII alone, at the smallest."""
    found: Pictures = {}
    for name in WALKS:
        for picture, texts in Walk(name).take(base / name).items():
            found.setdefault(picture, []).extend(texts)
    in_ascii = Walk("breach", ASCII, SIZES[:1]).take(base / "ascii")
    found["in_ascii"] = [text for texts in in_ascii.values() for text in texts]
    return found
