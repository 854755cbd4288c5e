"""The last defence against hostile text: nothing invisible leaves for the terminal.

Text from data goes through ``untrusted.visible`` long before. Should one path forget, this
filter deletes what a terminal would obey (escapes, C1 controls, bidirectional overrides) from
every segment. It deletes rather than replaces, because these characters have no width.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

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
