"""Console apps to test: a state, a fake feed, clocks that stand still until told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.presentation.spans import plain_text
from console.state.view_state import ViewState
from console.terminal.link_profile import LinkProfile, Profile
from console.tui.app import ConsoleApp
from console.tui.capture import Capture
from console.tui.widgets.canvas import Canvas
from tests.console.fake_feed import FakeFeed
from tests.console.states import NOW

LINK = LinkProfile(
    profile=Profile.RICH,
    link="local",
    reasons=(),
    has_terminal=True,
    ascii_only=False,
    monochrome=False,
    light=False,
    mouse=False,
    animation=False,
    flush_seconds=0.25,
)
LEAN = replace(LINK, profile=Profile.LEAN, link="ssh")
ASCII = replace(LEAN, ascii_only=True)
LIGHT = replace(LINK, light=True)

if TYPE_CHECKING:
    from textual.pilot import Pilot


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


class NotedCapture(Capture):
    """Captures, and notes in ``written`` what was to be copied."""

    def __init__(self, app: ConsoleApp, written: list[str]) -> None:
        super().__init__(app)
        self._written = written

    def copy(self, text: str, what: str) -> None:
        self._written.append(text)
        super().copy(text, what)


class StillApp(ConsoleApp):
    """An app that keeps the state it was given: derived states would need a whole workspace."""

    def __init__(self, state: ViewState, link: LinkProfile = LINK, *, armed: bool = False) -> None:
        self.fake_feed = FakeFeed()
        self.monotonic_clock = Clock()
        super().__init__(
            state,
            self.fake_feed,
            link,
            clock=lambda: NOW,
            monotonic=self.monotonic_clock,
            operate_because="a test" if armed else None,
        )
        self.written: list[str] = []
        self.capture = NotedCapture(self, self.written)

    def _begin(self) -> None:
        """No feed, no timer: tests draw by acting, and nothing is waited for."""
        self._keys.release()


async def eyes_on(pilot: Pilot[int]) -> None:
    """Let a dialogue be drawn, and a moment pass, so that it listens."""
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, StillApp)
    app.monotonic_clock.seconds += 1.0


def text_of(app: ConsoleApp) -> str:
    """All that the canvases on top show, line by line."""
    lines = []
    for canvas in app.screen.query(Canvas):
        if canvas.region:
            lines += [plain_text(spans) for spans in canvas.lines]
    return "\n".join(lines)
