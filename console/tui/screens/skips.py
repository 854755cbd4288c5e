"""Skips: why source lines were left out, by stream, with examples that can be opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import ClassVar

from console.presentation.row_list import by_reason, example_line, reason_line, stream_line, total_line
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.skip_tally import SkipExample, SkipTally
from console.tui.screens.marked_list import MarkedList, Row
from console.tui.screens.row import plain_row
from console.tui.screens.rows import open_rows
from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible


class SkipsScreen(MarkedList):
    place = "skips"
    crumb: ClassVar[str] = "Skips"
    silent: ClassVar[tuple[str, ...]] = ("screen.skips",)
    first_hints: ClassVar[tuple[str, ...]] = ("open", "trace", "back")

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._root = Path(workspace)
        self._tally = SkipTally(self._root)
        self._stop = Event()
        # What a key stands for; True for a stream's own line, which opens the skips themselves.
        self._examples: dict[str, tuple[SkipExample, bool]] = {}

    def look(self) -> None:
        self._tally.count(self._stop)

    def on_unmount(self) -> None:
        self._stop.set()

    def head_lines(self, width: int) -> list[Line]:
        tally = self._tally
        if not tally.groups and (tally.trouble or tally.is_missing or not tally.was_read):
            return []  # nothing was counted, which is not zero skips
        lines_read = self.console.state.rows.total.lines
        return [total_line(tally.rows, tally.garbage, tally.counted_share, lines_read, width)]

    def rows(self, width: int) -> Sequence[Row]:
        tally = self._tally
        groups = tuple(tally.groups.copy().values())
        if not groups:
            return [Row(None, EMPTY), Row(None, self._nothing())]
        most = max(group.rows for group in groups)
        rows: list[Row] = [Row(None, self._nothing())] if tally.trouble else []
        self._examples = {}
        for reason, found in by_reason(groups):
            rows.append(Row(None, reason_line(reason, found, tally.rows, width)))
            for group in found:
                rows.append(Row(group.key, stream_line(group, most, width)))
                for at, example in enumerate(group.examples):
                    key = f"{group.key}\0{at}"
                    self._examples[key] = (example, False)
                    rows.append(Row(key, example_line(example, width)))
                if group.examples:
                    self._examples[group.key] = (group.examples[0], True)
        return rows

    def _nothing(self) -> Line:
        if self._tally.trouble:
            return line(" ", Span("? unknown", "warn"), f"  {visible(self._tally.trouble)}")
        if not self._tally.was_read:
            return line(Span(" ? counting", "dim"))
        if self._tally.is_missing:
            return line(" ", Span("? never", "warn"), "  no run has written skips here")
        return line(Span("   no line was skipped by the last run", "ok"))

    # Keys

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "trace": self._trace}

    def open_marked(self, key: str) -> None:
        """The source line of an example; for a stream, the skips themselves at its first row."""
        if key not in self._examples:
            return
        example, is_group = self._examples[key]
        source = None if is_group else self._source_of(example)
        if source is not None:
            open_rows(self.console, self._root, *source)
        else:
            open_rows(self.console, self._root, str(paths.DISTILLATION_SKIPS), example.row_offset)

    def _source_of(self, example: SkipExample) -> tuple[str, int] | None:
        """The line's file and offset, when it is a plain file here in which a line begins there."""
        found = plain_row(self._root, example.file, example.byte_offset)
        return found[:2] if found is not None else None

    def _trace(self) -> None:
        from console.tui.screens.row import trace_row

        example = self._marked_example()
        if example is not None and example.line is not None:
            trace_row(self.console, self._root, example.file, example.line, None)

    def _marked_example(self) -> SkipExample | None:
        example, _ = self._examples.get(self.marked or "", (None, True))
        return example

    def text_to_copy(self) -> str | None:
        example = self._marked_example()
        return visible(f"{example.file}:{example.line}") if example is not None else None
