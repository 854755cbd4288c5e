"""Incidents: every one that was opened here, and one of them replayed step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from console.presentation.incident_list import (
    column_line,
    grouped,
    incident_line,
    nothing_lines,
    summary_words,
    trouble_line,
)
from console.presentation.incident_replay import page_lines, replay_lines, show_command, undo_command
from console.presentation.spans import Line, Span, line
from console.reading.incident_chains import ChainChecks
from console.reading.incident_record import IncidentRecord, read_record, standing_at
from console.tui.screens.marked_list import MarkedList, Row, grouped_rows
from console.tui.screens.page import ReadPage
from pipeline.contracts import paths
from pipeline.reading.incidents import IncidentGlance, read_incidents
from pipeline.reading.report_files import Notes

if TYPE_CHECKING:
    from runbook.wizard.dialogue import Standing


class IncidentsScreen(MarkedList):
    place = "incidents"
    crumb: ClassVar[str] = "Incidents"
    silent: ClassVar[tuple[str, ...]] = ("screen.incidents", "symptom.help")
    first_hints: ClassVar[tuple[str, ...]] = (
        "open",
        "what to do",
        "hand-over",
        "export",
        "copy undo",
        "back",
    )

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._root = Path(workspace)
        self.incidents: list[IncidentGlance] = []
        self._chains = ChainChecks(self._root)
        self._broken: frozenset[str] = frozenset()
        self._notes: list[str] = []
        self._unread = ""
        self._was_read = False

    def look(self) -> None:
        notes = Notes()
        found = read_incidents(self._root, notes)
        try:
            self._broken = self._chains.broken(each.id for each in found)
        except Exception as error:  # noqa: BLE001 - a runbook that cannot be loaded costs the verdict alone
            notes.add(f"no chain was verified: {type(error).__name__}: {error}")
        self.incidents, self._notes, self._was_read = found, notes.lines, True
        self._unread = notes.unreadable.get(str(paths.INCIDENTS), "")

    def idle(self) -> tuple[str, ...]:
        return () if self.incidents else ("wizard.open",)

    def place_words(self) -> str:
        return "not known" if self._unread else summary_words(self.incidents, self._broken)

    def head_lines(self, width: int) -> list[Line]:
        trouble = trouble_line(self._notes, width)
        return [*([trouble] if trouble else []), *([column_line(width)] if self.incidents else [])]

    def rows(self, width: int) -> Sequence[Row]:
        if not self._was_read:
            return [Row(None, line(Span(" ? reading the journals", "dim")))]
        now = self.console.now()

        def row_of(each: IncidentGlance) -> Row:
            return Row(each.id, incident_line(each, now, width, is_broken=each.id in self._broken))

        rows = [*grouped_rows(grouped(self.incidents, self._broken), width, row_of)]
        return rows or [Row(None, spans) for spans in nothing_lines(self._unread)]

    def open_marked(self, key: str) -> None:
        self._show(key, as_page=False)

    def _show(self, incident_id: str, *, as_page: bool) -> None:
        self.app.push_screen(IncidentScreen(self._root, incident_id, self, as_page=as_page))

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "wizard.open": self._wizard,
            "incident.page": lambda: self.with_marked(partial(self._show, as_page=True)),
            "incident.export": lambda: self.console.changes.ask_for("incident.export", self.marked or ""),
            "undo.command": lambda: self.with_marked(self._copy_undo),
        }

    def _wizard(self) -> None:
        incident = next((each for each in self.incidents if each.id == self.marked), None)
        if incident is not None:
            self.console.open_wizard(incident.symptom or None, incident.id)

    def _copy_undo(self, incident_id: str) -> None:
        self.console.copy(undo_command(incident_id, self.console.state.workspace), "the command")

    def command_to_copy(self) -> str | None:
        return show_command(self.marked, self.console.state.workspace) if self.marked else None


class IncidentScreen(ReadPage[IncidentRecord]):
    """The journal, entry by entry; ``o`` shows the hand-over page instead, and back."""

    place = "incident"
    silent: ClassVar[tuple[str, ...]] = ("symptom.help",)
    first_hints: ClassVar[tuple[str, ...]] = ("what to do", "hand-over", "export", "copy undo", "back")

    def __init__(
        self, root: Path, incident_id: str, among: IncidentsScreen, *, as_page: bool = False
    ) -> None:
        super().__init__()
        self._root, self._incident_id, self._among = root, incident_id, among
        self._as_page = as_page
        self._number: int | None = None
        self._standings: dict[int, Standing | None] = {}

    def trail(self) -> tuple[str, ...]:
        return ("Incidents", self._incident_id)

    def read(self) -> IncidentRecord:
        record = read_record(self._root, self._incident_id)
        self._standings = {}
        if record.entries:
            self._standing(record, self._at(record))
        return record

    def _at(self, record: IncidentRecord) -> int:
        """The entry on view: the last one until somebody steps back."""
        last = len(record.entries)
        return last if self._number is None else max(1, min(self._number, last))

    def _standing(self, record: IncidentRecord, number: int) -> Standing | None:
        if number not in self._standings:
            self._standings[number] = standing_at(record, number)
        return self._standings[number]

    def lines_of(self, found: IncidentRecord, width: int) -> list[Line]:
        if self._as_page:
            return page_lines(found, width)
        number = self._at(found)
        standing = self._standing(found, number) if found.entries else None
        return replay_lines(found, number, standing, self.console.now(), width, self._body.size.height)

    def hints(self) -> tuple[tuple[str, str], ...]:
        steps = (("h/l", "step"),) if self._entries() and not self._as_page else ()
        return (*steps, *super().hints())

    def idle(self) -> tuple[str, ...]:
        return () if self._found is not None and self._found.can_undo else ("undo.command",)

    def beside_word(self) -> str:
        return "incident"

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "left": lambda: self._step(-1),
            "right": lambda: self._step(1),
            "top": lambda: self._step(-self._entries()),
            "bottom": lambda: self._step(self._entries()),
            "symptom.previous": lambda: self._beside(-1),
            "symptom.next": lambda: self._beside(1),
            "wizard.open": self._wizard,
            "incident.page": self._turn,
            "incident.export": lambda: self.console.changes.ask_for("incident.export", self._incident_id),
            "undo.command": self._copy_undo,
        }

    def _entries(self) -> int:
        return len(self._found.entries) if self._found is not None else 0

    def _step(self, entries: int) -> None:
        if self._found is not None and self._found.entries and not self._as_page:
            self._number = max(1, min(self._at(self._found) + entries, self._entries()))
            self.first_line = 0
            self.draw()

    def _beside(self, items: int) -> None:
        """The incident before or after this one, in the list that it was opened from."""
        beside = self._among.beside(items)
        if beside is not None and beside != self._incident_id:
            self._among.marked = self._incident_id = beside
            self._found, self._number, self.first_line = None, None, 0
            self._read_again()

    def _turn(self) -> None:
        self._as_page, self.first_line = not self._as_page, 0
        self.draw()

    def _wizard(self) -> None:
        symptom = self._found.symptom_id if self._found is not None else ""
        self.console.open_wizard(symptom or None, self._incident_id)

    def _copy_undo(self) -> None:
        if self._found is not None and not self._found.can_undo:
            self.console.say("nothing in this incident can be undone")
            return
        self.console.copy(undo_command(self._incident_id, self.console.state.workspace), "the command")

    def text_to_copy(self) -> str | None:
        if self._found is not None and self._as_page:
            return self._found.page
        return super().text_to_copy()

    def command_to_copy(self) -> str | None:
        return show_command(self._incident_id, self.console.state.workspace)
