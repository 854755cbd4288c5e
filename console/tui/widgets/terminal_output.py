"""What is written to the terminal last: columns that hold everywhere, and nothing invisible.

``❤️`` takes two cells here and one in tmux 3.3; a thumb with a skin tone takes two here and four there. What
stands right of it would be a column off, and a later repaint would leave old digits behind. So a cluster that
terminals measure differently is painted over blanks of the painter's width, and the cursor goes on from its
end.

Text from data goes through ``untrusted.visible`` long before. Should one path forget, a filter deletes what a
terminal would obey (escapes, C1 controls, bidirectional overrides) from every segment. It deletes rather than
replaces, because these characters have no width.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter

from console.presentation.spans import clusters

# Combining and spacing marks, variation selectors, keycaps, skin tones, flags, scripts of joined letters.
# Too much costs a few bytes, too little a column.
_JOINED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0700-\u1cff"
    "\u1dc0-\u1dff\u200d\u20d0-\u20f0\u302a-\u302f\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff"
)
# Sequences are passed over whole, or their last letter would be taken for the base of a mark.
_PARTS = re.compile(f"\x1b(?:\\[[0-?]*[ -/]*[@-~]|[^\\[])|[^\x00-\x1f\x7f-\x9f]?[{_JOINED}]+")

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


def steady(written: str) -> str:
    """What is written to a terminal, with the cursor put right after each contested cluster."""
    return _PARTS.sub(lambda part: _pinned(part[0]), written)


def _pinned(part: str) -> str:
    if part.startswith("\x1b"):
        return part
    return "".join(
        f"{_SAVE}{' ' * cells}{_RESTORE}{_NO_WRAP}{cluster}{_WRAP}{_RESTORE}\x1b[{cells}C"
        if len(cluster) > 1 and cells
        else cluster
        for cluster, cells in clusters(part)
    )


def steady_driver(driver: type[Driver]) -> type[Driver]:
    """The driver of this platform, which writes steady columns."""

    class SteadyDriver(driver):  # type: ignore[valid-type,misc]  # the base is known when the app starts
        def write(self, data: str) -> None:
            super().write(steady(data))

    return SteadyDriver


_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class StripControls(LineFilter):
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(segment.control is None and _OBEYED.search(segment.text) for segment in segments):
            return segments
        return [
            segment
            if segment.control is not None
            else Segment(_OBEYED.sub("", segment.text), segment.style, segment.control)
            for segment in segments
        ]
