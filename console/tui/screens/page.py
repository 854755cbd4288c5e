"""A page of lines on the whole screen, scrolled: the base of help and log, and of what a thread reads."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from console import keymap
from console.control.look_fault import look_fault
from console.presentation.edge_lines import breadcrumb_line, key_line, status_line
from console.presentation.fault import fault_lines
from console.presentation.spans import EMPTY, Line, Span, line, plain_text
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.canvas import Canvas
from pipeline.contracts.faults import Fault

# Their wizard key means what is marked or shown there, whether or not a symptom shows.
_OF_ONE_THING = ("runbook", "symptom", "incidents", "incident")


class Page(ConsoleScreen):
    """Subclasses give the trail of breadcrumbs and the lines for a width."""

    silent: ClassVar[tuple[str, ...]] = ()
    """Actions that do nothing here, although pages have them; the key line leaves them out."""

    first_hints: ClassVar[tuple[str, ...]] = ()
    """The words of the key line that come first; the rest keep their order."""

    kept_on_paging: ClassVar[int] = 1
    """Lines that are seen before and after going a page on."""

    def __init__(self) -> None:
        super().__init__()
        self.first_line = 0
        self._count = 0
        self._crumbs = Canvas(classes="edge")
        self._body = Canvas(id="body")
        self._status = Canvas(classes="edge")
        self._keys = Canvas(classes="edge")

    crumb: ClassVar[str]
    """What the screen is called in the trail, where that is all there is to say."""

    def trail(self) -> tuple[str, ...]:
        """Where we are, the dashboard's name left out."""
        return (self.crumb,)

    @abstractmethod
    def page_lines(self, width: int) -> list[Line]:
        """All lines of the page."""

    def extra_widgets(self) -> list[Widget]:
        """What stands between the body and the status line."""
        return []

    def compose(self) -> ComposeResult:
        yield Vertical(self._crumbs, self._body, *self.extra_widgets(), self._status, self._keys)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        width, height = self._body.size
        lines = self.page_lines(width)
        self._count = len(lines)
        self.first_line = max(0, min(self.first_line, len(lines) - height))
        shown = lines[self.first_line : self.first_line + height]
        self._body.show(shown + [EMPTY] * (height - len(shown)))
        is_whole = len(shown) == len(lines)
        self.draw_edges(
            "" if is_whole else f"{self.first_line + 1}-{self.first_line + len(shown)} of {len(lines)}"
        )

    def draw_edges(self, place: str, notice: str = "") -> None:
        """The lines above and below the body. ``place`` is where in it we are."""
        state, width = self.console.state, self._body.size.width
        self._crumbs.show([breadcrumb_line(state, self.trail(), place, width)])
        self._status.show([status_line(state, self.console.now(), width, notice or self.console.notice)])
        self.show_hints(self.hints())

    def show_hints(self, hints: Iterable[tuple[str, str]]) -> None:
        self._keys.show([key_line(hints, self._body.size.width)])

    def hints(self) -> tuple[tuple[str, str], ...]:
        """Keys that do something on this very screen."""
        silent = {keymap.BY_ID[name].hint for name in (*self.silent, *self.idle())}
        if not self.console.armed.is_armed:
            silent |= {action.hint for action in keymap.MUTATING}
        if not (self.console.state.symptoms or self.place in _OF_ONE_THING):
            silent.add(keymap.BY_ID["wizard.open"].hint)
        known = {hint[1]: hint for hint in keymap.hints(self.place) if hint[1] not in silent}
        first = [known.pop(word) for word in self.first_hints if word in known]
        beside = self.beside_word()
        brackets = ((keymap.both_brackets(), beside),) if beside else ()
        return self.hint_words((*first, *brackets, *known.values()))

    def idle(self) -> tuple[str, ...]:
        """Actions that would do nothing as things are now; the key line leaves them out, too."""
        return ()

    def beside_word(self) -> str:
        """What the bracket keys go to the next of, for the key line; empty where arrows do the same."""
        return ""

    def scroll_lines(self, lines: int) -> None:
        self.first_line = max(0, min(self.first_line + lines, self._count - self._body.size.height))
        self.draw()

    def step(self, items: int) -> None:
        """What the arrows do: a page has nothing but lines."""
        self.scroll_lines(items)

    def handlers(self) -> dict[str, Callable[[], None]]:
        page = max(1, self._body.size.height - self.kept_on_paging)
        return {
            "up": lambda: self.step(-1),
            "down": lambda: self.step(1),
            "page_up": lambda: self.step(-page),
            "page_down": lambda: self.step(page),
            "top": lambda: self.step(-self._count),
            "bottom": lambda: self.step(self._count),
        }

    def text_to_copy(self) -> str | None:
        return "\n".join(plain_text(spans).rstrip() for spans in self._body.lines).rstrip()


Found = TypeVar("Found")


class ReadPage(Page, Generic[Found]):
    """Subclasses read, and lay out what they read."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Found | None = None
        self._failed: Fault | None = None

    @abstractmethod
    def read(self) -> Found:
        """Read the disk. Runs in a thread; never raises for what is damaged."""

    @abstractmethod
    def lines_of(self, found: Found, width: int) -> list[Line]:
        """What was read, as lines."""

    def on_mount(self) -> None:
        self._read_again()

    def _read_again(self) -> None:
        self.run_worker(self._read(), name="read", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        try:
            self._found, self._failed = await asyncio.to_thread(self.read), None
        except Exception as error:  # noqa: BLE001 (whatever it is, a page that cannot be read says so)
            self._failed = look_fault(error, "This page")
        self.draw()

    def page_lines(self, width: int) -> list[Line]:
        failed = fault_lines(self._failed, width) if self._failed is not None else []
        if self._found is None:
            return failed or [line(Span(" ? reading", "dim"))]
        return [*failed, *self.lines_of(self._found, width)]

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "refresh": self._refresh}

    def _refresh(self) -> None:
        self._read_again()
        self.console.act("refresh")
