"""Characters for terminals that cannot show ours: the same widths, in ASCII.

The whole screen is written with the Unicode marks; where the locale or the terminal has only
ASCII, each line goes through ``to_ascii`` last, so no screen draws anything twice.
"""

from __future__ import annotations

import re

from console.presentation.spans import Line, Span, clusters
from pipeline.platform.streams import ASCII_FOR

_TABLE = str.maketrans(ASCII_FOR)
_SPARK_TABLE = str.maketrans({"▇": "7"})
_CUT = re.compile(r"([ -~])…")


def ascii_text(text: str, *, spark: bool = False) -> str:
    """``text`` in ASCII and in the same number of cells; ``…`` becomes ``..`` where it can.

    A ``spark`` line has digits for its heights, so its ``▇`` is a 7 rather than a bar.
    """
    if text.isascii():
        return text
    if spark:
        text = text.translate(_SPARK_TABLE)
    text = _CUT.sub("..", text).replace("…", ".").translate(_TABLE)
    if text.isascii():
        return text
    return "".join(cluster if cluster.isascii() else "?" * cells for cluster, cells in clusters(text))


def to_ascii(spans: Line) -> Line:
    return tuple(Span(ascii_text(span.text, spark=span.role == "spark"), span.role) for span in spans)
