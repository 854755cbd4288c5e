"""An input of one line whose cursor stands still: over a slow link each blink is a repaint."""

from __future__ import annotations

from textual.widgets import Input


def one_line(placeholder: str, name: str) -> Input:
    field = Input(placeholder=placeholder, id=name)
    field.cursor_blink = False
    return field
