"""One entry of an incident's journal on the screen, and in a line of its own.

The runbook tells it. It is imported when an entry is shown, and may be what is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.lines import fact_lines
from console.presentation.spans import Line, Span, line
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.reading.incident_record import Entry


def entry_lines(entry: Entry, width: int) -> list[Line]:
    """What this one line of the journal says."""
    if not entry.is_entry:
        return [line(Span(" X this line is no entry of a journal; what it held cannot be told", "fail"))]
    try:
        from console.presentation.blocks import block_lines
        from runbook.tell.entry import entry_blocks
    except Exception as error:  # noqa: BLE001 - code like any other; the journal is shown without it
        why = f"the runbook, which tells it, cannot be loaded: {type(error).__name__}: {error}"
        return [*fact_lines("?", why, width, "warn"), *fact_lines("detail", str(dict(entry.detail)), width)]
    return block_lines(entry_blocks(entry), width)


def short_words(entry: Entry) -> str:
    """The entry in a few words."""
    if not entry.is_entry:
        return "no entry of a journal"
    try:
        from runbook.tell.entry import entry_words
    except Exception:  # noqa: BLE001 - as above
        return visible(entry.kind, 200)
    said = entry_words(entry)
    return visible(f"{entry.kind}{': ' if said else ''}{said}", 200)
