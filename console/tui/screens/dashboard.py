"""The dashboard: the band of symptoms, the panes, and the lines around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size

from console import keymap
from console.presentation import arrangement
from console.presentation.band import band_height, band_lines
from console.presentation.edge_lines import header_line, key_line, status_line, tiny_lines
from console.presentation.spans import plain_text
from console.state.view_state import ViewState
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.canvas import Canvas
from console.tui.widgets.panes import Board, Pane
from pipeline.contracts.status import SymptomStatus


class Dashboard(ConsoleScreen):
    place = "dashboard"

    def __init__(self) -> None:
        super().__init__()
        self.focused_pane = "firewall"
        self.zoomed = False
        self._marked_symptom: str | None = None
        self._header = Canvas(id="header")
        self._band = Canvas(id="band")
        self._status = Canvas(id="status")
        self._keys = Canvas(id="keys")
        self._tiny = Canvas(id="tiny")
        self.panes = {name: Pane(name) for name in arrangement.PANES}
        self._band_height = 1
        self._laid_out: dict[str, arrangement.Box] = {}
        self._wanted: dict[str, int] = {}
        self._wanted_for: tuple[object, ...] = ()
        self._drawn: tuple[ViewState | None, Size] = (None, Size())

    def compose(self) -> ComposeResult:
        yield Board(
            self._header,
            self._band,
            *self.panes.values(),
            self._status,
            self._keys,
            self._tiny,
            boxes=self._lay_out,
        )

    def on_mount(self) -> None:
        self._mark_pane()
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        self._draw_what_is_new()

    def on_screen_resume(self) -> None:
        self._draw_what_is_new()

    def _draw_what_is_new(self) -> None:
        """Textual tells of one size several times before the first paint. Each tick makes another state."""
        state, size = self._drawn
        if state is not self.console.state or size != self.app.size:
            self.draw()

    def _boxes(self, size: Size) -> dict[str, arrangement.Box]:
        """Parts for this size; panes take from each other what they would leave blank."""
        arrange = partial(
            arrangement.arrange, *size, self._band_height, self.focused_pane, zoomed=self.zoomed
        )
        boxes = arrange()
        if self.zoomed or "drift" not in boxes:
            return boxes
        return arrange(wants=self._wants(boxes))

    def _wants(self, boxes: dict[str, arrangement.Box]) -> dict[str, int]:
        """How high each pane would be; asked again only when what they show has changed."""
        state = self.console.state
        widths = tuple((name, box.width) for name, box in boxes.items() if name in self.panes)
        shown = (widths, state.firewall, state.rows, state.phases, state.drift, state.runs, len(state.log))
        if shown != self._wanted_for:
            now = self.console.now()
            self._wanted = {name: self.panes[name].wants(state, now, width) for name, width in widths}
            self._wanted_for = shown
        return self._wanted

    def _lay_out(self, size: Size) -> dict[str, arrangement.Box]:
        self._laid_out = self._boxes(size)
        return self._laid_out

    # Drawing

    def draw(self) -> None:
        # The terminal's size, which is known before the first layout: the first paint is a full one.
        state, now = self.console.state, self.console.now()
        width, height = self.app.size
        self._drawn = (state, self.app.size)
        wanted = band_height(state.symptoms, height, width)
        self._band_height = wanted
        boxes = self._boxes(self.app.size)
        if boxes != self._laid_out:
            for board in self.query(Board):  # none yet, when something is said before the first layout
                board.arrange_again()
        if arrangement.is_tiny(width, height):
            self._tiny.show(tiny_lines(state, now, width, height))
            return
        self._header.show([header_line(state, now, width)])
        self._band.show(
            band_lines(
                state.symptoms,
                self._marked_position(),
                now,
                width,
                boxes["band"].height,
                state.heard_at,
                state.trouble,
                state.tally,
                state.runbook.looking_since,
            )
        )
        for name, box in boxes.items():
            if name in self.panes:
                self.panes[name].draw(state, now, box.width, box.height, zoomed=self.zoomed)
        self._status.show([status_line(state, now, width, self.console.notice)])
        self._keys.show([key_line(self._hints(), width)])

    def show_hints(self, hints: Iterable[tuple[str, str]]) -> None:
        self._keys.show([key_line(hints, self.app.size.width)])
        self._drawn = (None, Size())  # its own keys come back with it, whatever the state is then

    def _hints(self) -> tuple[tuple[str, str], ...]:
        """Only keys that do something now: none that this console would refuse or that finds nothing."""
        state = self.console.state
        running = state.run is not None and not state.run.ended
        idle = {"start"} if running else {"cancel"}
        if not self.console.armed.is_armed:
            idle |= {action.hint for action in keymap.MUTATING}
        if not state.symptoms:
            idle.add(keymap.BY_ID["wizard.open"].hint)
        back = (keymap.BY_ID["back"].shown_key, keymap.BY_ID["back"].hint)
        hints = [hint for hint in keymap.hints("dashboard") if hint[1] not in idle and hint != back]
        if len(state.symptoms) > 1:
            hints.insert(1, (keymap.both_brackets(), "symptom"))
        return self.hint_words((back, *hints) if self.zoomed else hints)

    # Symptoms

    @property
    def marked_symptom(self) -> SymptomStatus | None:
        symptoms = self.console.state.symptoms
        return symptoms[self._marked_position()] if symptoms else None

    def _marked_position(self) -> int:
        """The marked symptom keeps its mark when the list changes; a new screen marks the worst."""
        ids = [symptom.id for symptom in self.console.state.symptoms]
        return ids.index(self._marked_symptom) if self._marked_symptom in ids else 0

    def _mark_symptom(self, step: int) -> None:
        symptoms = self.console.state.symptoms
        if symptoms:
            position = max(0, min(len(symptoms) - 1, self._marked_position() + step))
            self._marked_symptom = symptoms[position].id
            self.draw()

    # Panes

    def handlers(self) -> dict[str, Callable[[], None]]:
        pane = self.panes[self.focused_pane]
        page = max(1, pane.size.height - 2)
        return {
            **{
                f"pane.{number}": (lambda name=name: self.go_to_pane(name))  # type: ignore[misc]
                for number, name in enumerate(arrangement.PANES, start=1)
            },
            "zoom": self.toggle_zoom,
            "back": self._back,
            "open": self._open,
            "left": lambda: self._beside(-1),
            "right": lambda: self._beside(1),
            "up": lambda: pane.scroll_lines(-1),
            "down": lambda: pane.scroll_lines(1),
            "page_up": lambda: pane.scroll_lines(-page),
            "page_down": lambda: pane.scroll_lines(page),
            "top": lambda: pane.scroll_lines(-10_000),
            "bottom": lambda: pane.scroll_lines(10_000),
            "symptom.previous": lambda: self._mark_symptom(-1),
            "symptom.next": lambda: self._mark_symptom(1),
        }

    def go_to_pane(self, name: str) -> None:
        """Mark a pane; the pane that is marked already goes to the whole screen and back."""
        if name == self.focused_pane:
            self.toggle_zoom()
            return
        if name not in arrangement.panes_shown(*self.app.size):
            self.zoomed = True
        self.focused_pane = name
        self._mark_pane()
        self._rearrange()

    def toggle_zoom(self) -> None:
        self.zoomed = not self.zoomed
        if not self.zoomed and self.focused_pane not in arrangement.panes_shown(*self.app.size):
            self.focused_pane = "firewall"
            self._mark_pane()
        self._rearrange()

    def _back(self) -> None:
        if self.zoomed:
            self.toggle_zoom()

    def _rearrange(self) -> None:
        """Lay out again only when a part moved: marking another pane must cost next to nothing."""
        if self._boxes(self.app.size) != self._laid_out:
            self.query_one(Board).arrange_again()
            self.draw()

    def _mark_pane(self) -> None:
        for name, pane in self.panes.items():
            pane.mark(name == self.focused_pane)

    def _beside(self, step: int) -> None:
        target = arrangement.neighbour(self._boxes(self.app.size), self.focused_pane, step)
        if target != self.focused_pane:
            self.go_to_pane(target)

    def _open(self) -> None:
        if self.focused_pane == "log":
            self.console.act("log")
        elif self.focused_pane == "firewall" and self.marked_symptom is not None:
            self.console.act("symptom.help")
        else:
            self.toggle_zoom()

    @on(Pane.Clicked)
    def _pane_clicked(self, message: Pane.Clicked) -> None:
        if message.pane.id is not None and message.pane.id != self.focused_pane:
            self.go_to_pane(message.pane.id)

    def text_to_copy(self) -> str | None:
        """The marked pane, line by line, without its frame."""
        lines = [plain_text(spans) for spans in self.panes[self.focused_pane].lines[1:-1]]
        return "\n".join(text[1:-1].rstrip() for text in lines).rstrip()
