"""Rows: the files of rows that the workspace has, to open one; and logs that no stream reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from console.presentation.lines import heading
from console.presentation.row_list import file_head, file_line
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.row_files import FoundFile, RowFiles, find_row_files
from console.tui.screens.marked_list import MarkedList, Row
from pipeline.contracts import paths
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words
from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import read_settings
from pipeline.reading.source_files import unread_logs

_EXPORTS = {
    str(paths.SFT_EXPORT): ("sft", True),
    str(paths.RAG_EXPORT): ("rag", True),
    str(paths.PREFERENCE_EXPORT): ("preference", True),
    str(paths.SFT_QUARANTINE): ("sft", False),
    str(paths.RAG_QUARANTINE): ("rag", False),
    str(paths.PREFERENCE_QUARANTINE): ("preference", False),
}


class FilesScreen(MarkedList):
    place = "files"
    crumb: ClassVar[str] = "Rows"
    silent: ClassVar[tuple[str, ...]] = ("screen.rows",)
    first_hints: ClassVar[tuple[str, ...]] = ("open", "back")

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._root = Path(workspace)
        self._found = RowFiles()
        self._unread: tuple[str, ...] = ()
        self._was_read = False

    def look(self) -> None:
        # A tenth of a second to import, spent here in a thread and not when a file is opened.
        from console.tui.screens import row, rows  # noqa: F401

        self._unread = unread_logs(self._root, read_settings(self._root, Notes()))
        self._found, self._was_read = find_row_files(self._root), True

    def head_lines(self, width: int) -> list[Line]:
        return [file_head(width)]

    def rows(self, width: int) -> Sequence[Row]:
        now = self.console.now()
        rows = [
            Row(file.relative, file_line(file, self._rows_in(file), age_in_words(now - file.changed), width))
            for file in self._found.files
        ]
        rows += [
            Row(None, line(" ", Span("? unknown", "warn"), f"  {visible(trouble)}"))
            for trouble in self._found.troubles
        ]
        if self._unread:
            rows.append(Row(None, heading("read by no stream: c copies the command that drafts one", width)))
            rows += [
                Row(name, line(" ", Span(f"{'log':<11}", "dim"), visible(name))) for name in self._unread
            ]
        why = "this workspace has no files of rows yet" if self._was_read else "looking for files"
        return rows or [Row(None, EMPTY), Row(None, line(Span(f" - {why}", "dim")))]

    def _rows_in(self, file: FoundFile) -> int | None:
        """What the last run said; the file itself may differ, and opening it counts."""
        rows = self.console.state.rows
        if file.relative in _EXPORTS:
            name, exported = _EXPORTS[file.relative]
            known = next((counts for counts in rows.exports if counts.name == name), None)
            return None if known is None else known.rows if exported else known.refused
        if file.kind in ("evidence", "scored"):
            stream = Path(file.relative).stem
            return next((counts.evidence for counts in rows.streams if counts.stream == stream), None)
        return rows.total.skipped if file.relative == str(paths.DISTILLATION_SKIPS) else None

    def command_to_copy(self) -> str | None:
        """For a log that no stream reads: what drafts its stream. Other files leave it to the app."""
        if self.marked not in self._unread:
            return None
        return joined(["distill", "-C", str(self._root), "streams", "suggest", self.marked])

    def open_marked(self, key: str) -> None:
        from console.tui.screens.rows import open_rows

        open_rows(self.console, self._root, key)
