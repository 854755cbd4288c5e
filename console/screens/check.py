"""One check: its numbers, its examples, and the command that runs it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from console.presentation.check_list import runnable
from console.presentation.check_page import check_lines
from console.presentation.spans import EMPTY, Line, Span, line
from console.screens.base import bindings_for
from console.screens.page import Page
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.check_runs import Check
    from console.screens.audit import AuditScreen


class CheckScreen(Page):
    """Shows what ``audit`` knows of the check; it goes on reading while this page is on top."""

    place = "page"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("page")

    def __init__(self, audit: AuditScreen, check_id: str) -> None:
        super().__init__()
        self._audit = audit
        self._check_id = check_id
        self._last = audit.find(check_id)

    def trail(self) -> tuple[str, ...]:
        return ("Audit", self._check_id)

    def _check(self) -> Check | None:
        self._last = self._audit.find(self._check_id) or self._last
        return self._last

    def page_lines(self, width: int) -> list[Line]:
        check = self._check()
        if check is None:
            return [EMPTY, line(Span(" the report no longer holds this check", "warn"))]
        console = self.console
        origin = self._audit.origin_of(check)
        return check_lines(check, origin, console.state.workspace, console.now(), width)

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "symptom.previous": lambda: self._step(-1),
            "symptom.next": lambda: self._step(1),
        }

    def _step(self, items: int) -> None:
        """The check before or after this one, in the audit's list."""
        beside = self._audit.beside(items)
        if beside is not None:
            self._audit.marked = self._check_id = beside
            self._last, self.first_line = self._audit.find(beside), 0
            self.draw()

    def text_to_copy(self) -> str | None:
        return visible(self._check_id)

    def command_to_copy(self) -> str | None:
        check = self._check()
        return runnable(check.reproduce, self.console.state.workspace) or None if check else None
