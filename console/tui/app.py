"""The Textual app: holds the state, routes actions, and keeps time. Screens do the rest.

Facts arrive from a feed and are folded into one view state; a few times a second the screen on
top is brought to it. Alarms do not wait for that. Nothing here does the pipeline's work: losing
this process loses a view.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerError, WorkerState

from console import keymap
from console.control.armed import Armed, Lease
from console.control.changes import Operations
from console.presentation.band import nothing_marked
from console.state.derive import advance
from console.state.view_state import (
    FirewallSeen,
    Noted,
    ReadFailed,
    RunEnded,
    Tick,
    ViewState,
    cleaned,
)
from console.terminal.link_profile import LinkProfile
from console.tui import screen_registry, themes
from console.tui.capture import Capture
from console.tui.changes import ChangeDialogues
from console.tui.key_queue import FIRST_READING_SECONDS, KeyQueue, Typed
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.dashboard import Dashboard
from console.tui.screens.dialogue import Dialogue
from console.tui.widgets.canvas import Drawing
from console.tui.widgets.changed_cells import ChangedCells
from console.tui.widgets.terminal_output import StripControls, steady_driver
from pipeline.contracts.faults import Fault
from pipeline.contracts.status import FirewallWord

if TYPE_CHECKING:
    from console.control.feed import Feed, Item

NOTICE_SECONDS = 8.0
# How old the shown ages may become: while a run is followed, and otherwise.
_RUNNING_TICK_SECONDS = 1.0
_IDLE_TICK_SECONDS = 2.0


class ConsoleApp(App[int], inherit_bindings=False):
    """``feed`` brings facts; ``clock`` is the time on the wall, ``monotonic`` counts seconds."""

    TITLE = "distill"
    CSS_PATH = Path(__file__).with_name("distill.tcss")
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        state: ViewState,
        feed: Feed,
        link: LinkProfile,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        operate_because: str | None = None,
        lease: Lease | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        self._strip = StripControls()
        super().__init__(ansi_color=True if themes.uses_terminal_palette(link) else None)
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.theme_for(link)
        self.animation_level = "basic" if link.animation else "none"
        inks = themes.ink_styles(
            self.get_css_variables(), terminal_palette=themes.uses_terminal_palette(link)
        )
        self.drawing = Drawing(inks, link.ascii_only)
        self.set_class(link.ascii_only, "-ascii")
        self.link = link
        self.state = state
        self.feed = feed
        self.now = clock
        self.monotonic = monotonic
        self.armed = Armed(monotonic, lease)
        self.operations = Operations(self.armed, feed)
        self.changes = ChangeDialogues(self)
        self.capture = Capture(self)
        self._keys = KeyQueue(self, self._hand_out, is_held=not state.was_read)
        self._answered_at = 0.0
        self._notice = ("", 0.0)
        self._drawn_at = -_IDLE_TICK_SECONDS
        self._listener: Worker[None] | None = None
        self._is_listening = False
        self._next_flush: Timer | None = None
        self._was_breach = state.firewall.state is FirewallWord.BREACH
        self._operate_because = operate_because
        self._warnings = tuple(warnings)

    def get_default_screen(self) -> Screen[None]:
        return Dashboard()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._strip]

    def get_driver_class(self) -> type[Driver]:
        return steady_driver(super().get_driver_class())

    def on_mount(self) -> None:
        if self._operate_because is not None:
            self.changes.arm_because(self._operate_because)
        self.changes.publish_arming()
        # What a shell wrote meanwhile stands where our cells stood.
        self.app_resume_signal.subscribe(self, lambda _: self._redraw())
        for warning in self._warnings:
            self.say(warning, "warning")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Start to listen only now: what reads the disk must not delay the first picture."""
        self._listener = self.run_worker(self._listen(), name="feed", exit_on_error=False)
        self.set_interval(_RUNNING_TICK_SECONDS, self.flush)
        self.set_timer(FIRST_READING_SECONDS, self._keys.release)
        self._is_listening = True

    async def run_async(self, **how: Any) -> int | None:
        """As Textual does; the feed has then ended what it started.

        A loop that closes cancels every task at once, those of asyncio too that a child's start and end wait
        for: a console that was left just then would never end.
        """
        try:
            return await super().run_async(**how)
        finally:
            if self._listener is not None:
                if not self._listener.is_cancelled:  # a second time would cut its end off
                    self._listener.cancel()
                with contextlib.suppress(WorkerError):
                    await self._listener.wait()

    def leave(self, exit_code: int) -> None:
        """Exit with a code, asked from a signal handler or from another thread."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self.exit, None, exit_code)

    # State in, pixels out

    async def _listen(self) -> None:
        async for item in self.feed.items():
            self.take(item)

    def take(self, item: Item) -> None:
        """Fold one item in. What may not wait is drawn at once; an alarm with one bell."""
        before = self.state
        self.state = advance(before, item, self.now())
        if self.state.was_read:
            self._keys.release()
        breach = self.state.firewall.state is FirewallWord.BREACH
        if breach and not self._was_breach:
            self.bell()
        over = isinstance(item, RunEnded)
        if over or breach != self._was_breach or self.state.symptoms[:1] != before.symptoms[:1]:
            self._was_breach = breach
            self.flush()
        elif self._is_listening and self._next_flush is None and not _only_lives(item, before):
            # What comes in the meantime is drawn with it.
            self._next_flush = self.set_timer(self.link.flush_seconds, self.flush)

    def flush(self) -> None:
        """Bring the screen on top to the state, when there is something new or ages have moved on."""
        if self._next_flush is not None:
            # The tick may come first: a flush that stayed due beside the next one would never end.
            self._next_flush.stop()
            self._next_flush = None
        self.changes.end_arming_when_due()
        run = self.state.run
        tick_seconds = _IDLE_TICK_SECONDS if run is None or run.ended else _RUNNING_TICK_SECONDS
        tick_due = self.monotonic() - self._drawn_at >= 0.9 * tick_seconds
        if tick_due:
            self.state = advance(self.state, Tick(), self.now())
        if tick_due or self.state.dirty:
            self.draw()

    def draw(self) -> None:
        """Draw now. Only cells that differ are written."""
        self._drawn_at = self.monotonic()
        self.state = cleaned(self.state)
        # A timer that is due while the app ends finds no screen any more.
        if self.screen_stack and isinstance(self.screen, (ConsoleScreen, Dialogue)):
            self.screen.draw()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.take(ReadFailed(f"the console's own {event.worker.name} failed: {event.worker.error!r}"))

    @property
    def notice(self) -> str:
        """What was just said to the operator; empty when that is a while ago."""
        text, until = self._notice
        return text if self.monotonic() < until else ""

    def say(self, text: str, level: str = "info") -> None:
        """Tell the operator one line, on the status line and in the log."""
        self._notice = (text, self.monotonic() + NOTICE_SECONDS)
        self.take(Noted(level, text))
        self.draw()

    def fail(self, fault: Fault) -> None:
        """Tell the operator what went wrong, what was kept safe and what to do; the log has it, too."""
        self.take(Noted("error", f"{fault.what_happened} {fault.do_next}"))
        self.open("fault", fault)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's last step before the terminal."""
        if isinstance(renderable, ChopsUpdate):
            renderable = ChangedCells.of(renderable)
        super()._display(screen, renderable)

    def write_to_terminal(self, sequence: str) -> None:
        """Send what the terminal obeys and does not show."""
        if self._driver is not None:
            self._driver.write(sequence)

    # Keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            await self._keys.add(event)
        else:
            await super().on_event(event)

    async def _hand_out(self, event: Typed) -> None:
        """Keys that a dialogue does not take are dropped, and those behind its answer."""
        is_taken = not isinstance(self.screen, Dialogue) or self.screen.takes(event)
        if is_taken and event.time > self._answered_at:
            await super().on_event(event)

    @property
    def keys_waiting(self) -> bool:
        """Whether a key is still to be handed out, or to do what it does."""
        return self._keys.is_busy

    def drop_keys_so_far(self) -> None:
        """A dialogue was answered: what was typed behind its answer is for nothing below."""
        self._answered_at = time.monotonic()

    def act(self, action_id: str) -> None:
        """Perform an action of the key map that the screen on top does not answer itself."""
        if keymap.BY_ID[action_id].mutating:
            self.changes.ask_for(action_id)
            return
        if action_id.startswith(screen_registry.PREFIX):
            self._go_to(action_id)
            return
        routes: dict[str, Callable[[], object]] = {
            "quit": lambda: self.exit(0),
            "how_to_quit": lambda: self.say(
                f"{keymap.BY_ID['quit'].shown_key} quits. Quitting stops nothing; the run goes on."
            ),
            "back": self._back,
            "help": self._help,
            "palette": self._palette,
            "log": lambda: self.open("log"),
            "filter": lambda: self.open("log", True),
            "wizard.open": lambda: self._with_marked_symptom(self.open_wizard),
            "symptom.help": lambda: self._with_marked_symptom(partial(self.open, "symptom")),
            "arm": self.changes.arm_or_disarm,
            "refresh": self._refresh,
            "redraw": self._redraw,
            "save": self.capture.save_picture,
            "save.text": self.capture.save_text,
            "suspend": self.action_suspend_process,
            "copy": self.capture.copy_marked,
            "copy.command": self.capture.copy_command,
        }
        if action_id in routes:
            routes[action_id]()

    def open(self, name: str, *arguments: object, then: Callable[[Any], None] | None = None) -> None:
        """Show a screen of the registry on top of this one; ``then`` gets what a dialogue answers."""
        self.push_screen(screen_registry.make(name, *arguments), then)

    def copy(self, text: str, what: str) -> None:
        """Put ``text`` on the operator's clipboard."""
        self.capture.copy(text, what)

    def _go_to(self, action_id: str, *marked: str) -> None:
        """Another screen, with a line marked, from wherever we are: its way back is the dashboard."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.open(action_id, self.state.workspace, *marked)

    def _back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def _help(self) -> None:
        if isinstance(self.screen, ConsoleScreen) and self.screen.place != "help":
            self.open("help", self.screen.place)

    def _palette(self) -> None:
        if isinstance(self.screen, ConsoleScreen):
            self.open("palette", self.screen.place, then=self._palette_chose)

    def _palette_chose(self, offer_id: str | None) -> None:
        kind, mark, name = (offer_id or "").partition(":")
        if mark:
            self._open_subject(kind + mark, name)
        elif offer_id and isinstance(self.screen, ConsoleScreen):
            self.screen.act(offer_id)

    def _open_subject(self, kind: str, name: str) -> None:
        from console.presentation import palette

        if kind == palette.SYMPTOM:
            self.open("symptom", name)
        elif kind == palette.INCIDENT:
            self.open_wizard(None, name)
        elif kind == palette.RUN:
            self._go_to("screen.runs", name)
        else:
            from console.tui.screens.rows import open_rows

            open_rows(self, Path(self.state.workspace), name)

    def _with_marked_symptom(self, then: Callable[[str], None]) -> None:
        dashboard = self.screen_stack[0]
        marked = dashboard.marked_symptom if isinstance(dashboard, Dashboard) else None
        if marked is None:
            self.say(nothing_marked(self.state.tally))
        else:
            then(marked.id)

    def open_wizard(self, symptom_id: str | None, incident_id: str | None = None) -> None:
        """The wizard of an incident, or that of a symptom, in its open incident where there is one."""
        if incident_id:
            self.open("wizard.reopened", incident_id)
        elif symptom_id:
            self.open("wizard", symptom_id)

    def _redraw(self) -> None:
        """All cells, also those that did not change: the terminal may show something else."""
        self.screen.refresh(self.screen.region)
        self.refresh(repaint=True, layout=True)

    def read_again(self) -> None:
        """Read the workspace and ask the detectors now, whatever their budget says."""
        self.run_worker(self.feed.refresh(), name="refresh", exit_on_error=False)

    def _refresh(self) -> None:
        self.read_again()
        self.say("reading the workspace again")


def _only_lives(item: Item, before: ViewState) -> bool:
    """Whether the firewall's watcher says nothing but that it lives: the next tick is soon enough."""
    known = before.watched
    return (
        isinstance(item, FirewallSeen)
        and known is not None
        and replace(item.firewall, origin=known.origin, since=known.since) == known
    )
