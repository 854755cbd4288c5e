"""Where each part of the dashboard stands, for any size of the terminal.

Four forms: *tiny* (five lines of words), *single* (one pane under the band), *four panes* in
two columns from 80x24, and *wide* with the runs and the log beside them. Parts never change
their place within a form: position is memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PANES = ("firewall", "rows", "phases", "drift", "runs", "log")
FOUR = PANES[:4]
_TINY_COLUMNS, _TINY_ROWS = 40, 10
_COLUMNS, _ROWS = 80, 24
_WIDE_COLUMNS, _WIDE_ROWS = 100, 34
_THREE_COLUMNS = 168
_PHASE_LINES = 10
_LOWEST = 3
_NOTHING_KNOWN: Mapping[str, int] = {}


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


def arrange(
    width: int,
    height: int,
    band: int,
    focused: str,
    *,
    zoomed: bool,
    wants: Mapping[str, int] = _NOTHING_KNOWN,
) -> dict[str, Box]:
    """The boxes of all visible parts. ``band`` is the height that the symptoms ask for.

    ``wants`` is how high each pane would be, frame included, if it showed all: within a column, lines
    that one pane would leave blank go to those that overflow.
    """
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
        return {**boxes, **_four(body, wants)}
    columns = _three_columns if width >= _THREE_COLUMNS else _two_columns
    return {**boxes, **columns(body, wants)}


def _four(body: Box, wants: Mapping[str, int]) -> dict[str, Box]:
    left = (body.width + 2) // 2
    firewall = max(6, min(9, body.height * 4 // 9))
    phases = min(_PHASE_LINES + 2, body.height - 6)
    right = Box(left, body.y, body.width - left, body.height)
    columns = _stack(body._replace(width=left), (("firewall", firewall), ("rows", 0)), wants)
    return columns | _stack(right, (("phases", phases), ("drift", 0)), wants)


def _two_columns(body: Box, wants: Mapping[str, int]) -> dict[str, Box]:
    left = (body.width - 8) // 2
    phases = _PHASE_LINES + 2 + 1 + (2 if body.height >= 34 else 1)
    runs = max(5, (body.height - 8 - phases) // 2)
    first = (("firewall", 8), ("phases", phases), ("runs", runs), ("log", 0))
    columns = _stack(body._replace(width=left), first, wants)
    second = (("rows", max(20, body.height * 3 // 5)), ("drift", 0))
    return columns | _stack(Box(left, body.y, body.width - left, body.height), second, wants)


def _three_columns(body: Box, wants: Mapping[str, int]) -> dict[str, Box]:
    side = body.width * 3 // 10
    middle = body.width - 2 * side
    firewall, phases = 10, _PHASE_LINES + 2 + 1 + 3
    first = (("firewall", firewall), ("phases", phases), ("drift", 0))
    second = (("rows", firewall + phases), ("runs", 0))
    columns = _stack(body._replace(width=side), first, wants)
    columns |= _stack(Box(side, body.y, middle, body.height), second, wants)
    return columns | _stack(Box(side + middle, body.y, side, body.height), (("log", 0),), wants)


def _stack(column: Box, parts: tuple[tuple[str, int], ...], wants: Mapping[str, int]) -> dict[str, Box]:
    """Parts of a column from the top down; the last one takes what is left."""
    heights: dict[str, int] = {}
    for position, (name, wanted) in enumerate(parts):
        left = column.height - sum(heights.values())
        heights[name] = left if position == len(parts) - 1 else min(wanted, left)
    _even_out(heights, wants)
    boxes = {}
    y = column.y
    for name, height in heights.items():
        boxes[name] = Box(column.x, y, column.width, height)
        y += height
    return boxes


def _even_out(heights: dict[str, int], wants: Mapping[str, int]) -> None:
    """What a pane would leave blank goes to those that overflow, the most important first."""
    spare = {name: max(0, height - max(_LOWEST, wants.get(name, height))) for name, height in heights.items()}
    for needy in (name for name in PANES if name in heights):
        missing = max(0, wants.get(needy, 0) - heights[needy])
        for giver in reversed(list(heights)):
            given = min(missing, spare[giver])
            heights[needy] += given
            heights[giver] -= given
            spare[giver] -= given
            missing -= given


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
