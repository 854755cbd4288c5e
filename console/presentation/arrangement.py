"""Where each part of the dashboard stands, for any size of the terminal.

Four forms: *tiny* (five lines of words), *single* (one pane under the band), *four panes* in
two columns from 80x24, and *wide* with the runs and the log beside them. Parts never change
their place within a form: position is memory.
"""

from __future__ import annotations

from typing import NamedTuple

PANES = ("firewall", "rows", "phases", "drift", "runs", "log")
FOUR = PANES[:4]
_TINY_COLUMNS, _TINY_ROWS = 40, 10
_COLUMNS, _ROWS = 80, 24
_WIDE_COLUMNS, _WIDE_ROWS = 100, 34
_THREE_COLUMNS = 168
_PHASE_LINES = 10


class Box(NamedTuple):
    x: int
    y: int
    width: int
    height: int


def is_tiny(width: int, height: int) -> bool:
    return width < _TINY_COLUMNS or height < _TINY_ROWS


def panes_shown(width: int, height: int) -> tuple[str, ...]:
    """Which panes this size has, in the order of their numbers."""
    if is_tiny(width, height):
        return ()
    return PANES if width >= _WIDE_COLUMNS and height >= _WIDE_ROWS else FOUR


def arrange(width: int, height: int, band: int, focused: str, *, zoomed: bool) -> dict[str, Box]:
    """The boxes of all visible parts. ``band`` is the height that the symptoms ask for."""
    if is_tiny(width, height):
        return {"tiny": Box(0, 0, width, height)}
    header = 1 if height >= 14 else 0
    band = min(band, max(1, height - header - 2 - 5))
    top = header + band
    body = Box(0, top, width, height - top - 2)
    boxes = {"header": Box(0, 0, width, header)} if header else {}
    boxes["band"] = Box(0, header, width, band)
    boxes["status"] = Box(0, height - 2, width, 1)
    boxes["keys"] = Box(0, height - 1, width, 1)
    if zoomed or width < _COLUMNS or height < _ROWS:
        return {**boxes, focused: body}
    if "runs" not in panes_shown(width, height):
        return {**boxes, **_four(body)}
    return {**boxes, **(_three_columns(body) if width >= _THREE_COLUMNS else _two_columns(body))}


def _four(body: Box) -> dict[str, Box]:
    left = (body.width + 2) // 2
    firewall = max(6, min(9, body.height * 4 // 9))
    phases = min(_PHASE_LINES + 2, body.height - 6)
    columns = _stack(body._replace(width=left), (("firewall", firewall), ("rows", 0)))
    columns |= _stack(Box(left, body.y, body.width - left, body.height), (("phases", phases), ("drift", 0)))
    return columns


def _two_columns(body: Box) -> dict[str, Box]:
    left = (body.width - 8) // 2
    phases = _PHASE_LINES + 2 + 1 + (2 if body.height >= 34 else 1)
    columns = _stack(body._replace(width=left), (("firewall", 8), ("phases", phases), ("runs", 0)))
    rows = max(20, body.height * 3 // 5)
    drift = max(7, (body.height - rows) * 9 // 20)
    return columns | _stack(
        Box(left, body.y, body.width - left, body.height), (("rows", rows), ("drift", drift), ("log", 0))
    )


def _three_columns(body: Box) -> dict[str, Box]:
    side = body.width * 3 // 10
    middle = body.width - 2 * side
    firewall, phases = 10, _PHASE_LINES + 2 + 1 + 3
    columns = _stack(body._replace(width=side), (("firewall", firewall), ("phases", phases), ("drift", 0)))
    columns |= _stack(Box(side, body.y, middle, body.height), (("rows", firewall + phases), ("runs", 0)))
    return columns | _stack(Box(side + middle, body.y, side, body.height), (("log", 0),))


def _stack(column: Box, parts: tuple[tuple[str, int], ...]) -> dict[str, Box]:
    """Parts of a column from the top down; the last one takes what is left."""
    boxes = {}
    y = column.y
    for position, (name, wanted) in enumerate(parts):
        left = column.y + column.height - y
        height = left if position == len(parts) - 1 else min(wanted, left)
        boxes[name] = Box(column.x, y, column.width, height)
        y += height
    return boxes


def neighbour(boxes: dict[str, Box], focused: str, step: int) -> str:
    """The pane that stands beside ``focused`` (``step`` -1 left, 1 right), or itself.

    Panes that share the most lines with it win; this is what h and l move to.
    """
    here = boxes.get(focused)
    if here is None:
        return focused
    best, shared = focused, 0
    for name in PANES:
        box = boxes.get(name)
        beside = box is not None and (
            box.x == here.x + here.width if step > 0 else box.x + box.width == here.x
        )
        if box is None or not beside:
            continue
        overlap = min(box.y + box.height, here.y + here.height) - max(box.y, here.y)
        if overlap > shared:
            best, shared = name, overlap
    return best
