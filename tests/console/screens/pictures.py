"""Every screen as text, in every state: a workspace to look at, and a walk that takes the pictures.

A picture is what the terminal would show, character by character. At the smallest size the inks
stand beneath it. One app walks through all screens of a state and is resized on each of them, so
that a picture costs a few hundredths of a second. Truecolor is in the SVG snapshots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from console.control.wizard_view import WizardView
from console.state.view_state import ViewState
from console.terminal.link_profile import LinkProfile
from console.tui.screens import wizard_page
from console.tui.screens.consent import TakeOverDialogue
from console.tui.screens.wizard import WizardScreen
from console.tui.widgets.canvas import Canvas
from pipeline.contracts.moments import iso_utc
from pipeline.platform.lock import Holder
from tests.console import wizard_views
from tests.console.apps import ASCII, LEAN, StillApp, eyes_on
from tests.console.screens.opened import press, settled
from tests.console.screens.picture_states import INCIDENTS, RUNBOOK, WIZARD, folder_of, prepare
from tests.console.states import NOW

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZES = ((80, 24), (120, 40), (200, 60))
INKS_AT = SIZES[0]
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
    Stop("dashboard", ()),
)  # fmt: skip
PAGES = (
    Stop("run", ("R", "enter")),
    Stop("runs", ("R", "space", "down", "space"), "two are chosen"),
    Stop("compared", ("R", "space", "down", "space", "enter")),
    Stop("rows", ("D", "enter")),
    Stop("row", ("D", "enter", "enter")),
    Stop("row", ("D", "enter", "down", "enter"), "a conversation"),
    Stop("row", ("D", "enter", "G", "enter"), "a torn one"),
    Stop("lineage", ("D", "enter", "down", "down", "t")),
    Stop("gate", ("F", "enter")),
    Stop("help", ("question_mark",), "of the dashboard"),
    Stop("help", ("A", "question_mark"), "of the audit"),
    Stop("palette", ("colon",), "read-only"),
    Stop("palette", ("colon", "a", "u", "d"), "a part typed"),
    Stop("arm", ("a",)),
    Stop("incidents", ("I",), "none"),
)
WIZARDS: tuple[tuple[Callable[[], WizardView], tuple[str, ...]], ...] = (
    (wizard_views.contained_first, ()),
    (wizard_views.contained_first, ("down",)),
    (wizard_views.to_contain, ("down", "down", "enter")),
    (wizard_views.to_repair, ()),
    (wizard_views.to_repair, ("down", "down", "enter")),
    (wizard_views.applying, ()),
    (wizard_views.cut_off, ()),
    (wizard_views.resolved, ()),
)
IN_ASCII = ("breach", "detected", INCIDENTS)
ON_THE_RUNBOOK = (Stop("dashboard", ()), Stop("runbook", ("W",)), Stop("symptom", ("W", "enter")))
# Down the list: the open one, an edited record, a garbled one, a pipe, and the one that is over.
REPLAYS = (
    Stop("incident", ("I", "end", "enter"), "resolved"),
    Stop("incident", ("I", "end", "enter", "left", "left"), "an intent"),
    Stop("incident", ("I", "end", "enter", "home"), "opened"),
    Stop("incident", ("I", "end", "enter", "home", "right", "right"), "its cause"),
    Stop("incident", ("I", "end", "enter", "home", *["right"] * 4), "its plan"),
    Stop("incident", ("I", "end", "enter", "o"), "the page of its hand-over"),
    Stop("incident", ("I", "down", "enter", "left", "left", "left"), "edited"),
    Stop("incident", ("I", "down", "down", "enter"), "garbled"),
    Stop("incident", ("I", "down", "down", "down", "enter"), "a pipe"),
)
DIALOGUES = ("palette", "arm")
ON_NO_WALK = ("take_over", "consent", "in_ascii", "wizard")
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
    "unknown": (Stop("dashboard", ()),),
    **dict.fromkeys(RUNBOOK, ON_THE_RUNBOOK),
    INCIDENTS: (Stop("incidents", ("I",)), *REPLAYS),
}  # fmt: skip


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
            if self.name == "healthy":
                app.fake_feed.is_critical = True
                await self._home(pilot, app, size)
                await press(pilot, asked)
                await eyes_on(pilot)
                await self._picture(pilot, app, Stop("consent", (), "critical"), size)
                app.fake_feed.is_critical = False
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
        app.draw()  # without the notice, whether or not it was drawn on the way here

    async def _picture(self, pilot: Pilot[int], app: StillApp, stop: Stop, size: tuple[int, int]) -> None:
        if size != (app.size.width, app.size.height):
            await pilot.resize_terminal(*size)
        await settled(pilot)
        while not any(canvas.region for canvas in app.screen.query(Canvas)):
            await pilot.pause(0.01)  # a busy machine lays a screen out later
        _keys_are_words(app)
        title = " · ".join(part for part in (self.name, stop.note, f"{size[0]}x{size[1]}") if part)
        self.pictures.setdefault(stop.picture, []).append(_as_text(app, title, with_inks=size == INKS_AT))


class WizardWalk(Walk):
    """Each step of a wizard, on a console that is armed in a breach."""

    async def _walk(self, state: ViewState) -> None:
        app = StillApp(state, self.link)
        async with app.run_test(size=self.sizes[0]) as pilot:
            app.changes.arm_because("a picture")
            for view, keys in WIZARDS:
                note = " ".join((view.__name__.replace("_", " "), *keys))
                with patch.object(wizard_page, "open_control", partial(_still_desk, view())):
                    for size in self.sizes:
                        await self._home(pilot, app, size)
                        app.push_screen(WizardScreen(wizard_views.LEAK))
                        await settled(pilot)
                        for key in keys:
                            await eyes_on(pilot)
                            await pilot.press(key)
                        await self._picture(pilot, app, Stop("wizard", (), note), size)


def _still_desk(view: WizardView, *_subject: object) -> wizard_views.StillDesk:
    return wizard_views.StillDesk(view)


def _keys_are_words(app: StillApp) -> None:
    """An arrow as a key's name is drawn in ASCII as a letter, which is another key."""
    on_top = [spans for canvas in app.screen.query(Canvas) for spans in canvas.lines]
    keys = {span.text for spans in on_top for span in spans if span.role == "key"}
    assert not [key for key in keys if set(key) & set("←↑→↓")], keys


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
    """Every state at every size; and some in a terminal that knows ASCII alone, at the smallest."""
    found: Pictures = {}
    for name in WALKS:
        for picture, texts in Walk(name).take(base / name).items():
            found.setdefault(picture, []).extend(texts)
    found |= WizardWalk(WIZARD).take(base / WIZARD)
    found["in_ascii"] = [
        text
        for walk in (
            *(Walk(name, ASCII, SIZES[:1]) for name in IN_ASCII),
            WizardWalk(WIZARD, ASCII, SIZES[:1]),
        )
        for texts in walk.take(base / f"{walk.name} in ascii").values()
        for text in texts
    ]
    return found
