"""Where a row that a report names stands now: by its line, and whether it still is that row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from console.reading.line_index import LineIndex
from console.reading.row_file import RowFile, needles_for
from pipeline.platform.lenient_json import inside
from pipeline.reading import reach

_ROWS = ".jsonl"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """``offset`` is where the row begins; None with the reason in ``trouble``.

    ``doubt`` says that another row stands there now than the one that was named.
    """

    offset: int | None = None
    trouble: str = ""
    doubt: str = ""


def names_row(file: str, line: int | None, run_id: str) -> bool:
    """Whether a report's words are enough to look for: a place in a file of rows here."""
    relative = inside(file)
    return relative is not None and relative.suffix == _ROWS and (line is not None or bool(run_id))


def find_row(root: Path, relative: str, line: int | None, run_id: str, stop: Event) -> FoundRow:
    """Look for it; blocks for as long as the file takes to be counted up to there."""
    try:
        file = RowFile(root / relative)
    except OSError as error:
        return FoundRow(trouble=reach.in_words(error, root))
    except ValueError as error:
        return FoundRow(trouble=f"{relative}: {error}")
    try:
        needles = needles_for(run_id) if run_id else ()
        if line is None:
            at = file.find(needles, 0, stop, lambda _: None)
            row = file.row_at(at) if at is not None else None
            trouble = "" if row is not None else f"{relative} has no row of {run_id} any more"
            return FoundRow(row.offset if row is not None else None, trouble)
        index = LineIndex(file)
        index.extend(stop)
        row = file.row_at(offset) if (offset := index.offset_of(line)) is not None else None
        if row is None:
            return FoundRow(trouble=f"{relative} has no line {line:,} any more")
        same = not needles or any(needle in file.whole(row) for needle in needles)
        return FoundRow(
            row.offset, doubt="" if same else f"line {line:,} is another row than the report names"
        )
    finally:
        file.close()
