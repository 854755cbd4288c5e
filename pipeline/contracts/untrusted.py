"""The only door through which text from data reaches a terminal, a log or a report.

Logs are hostile: they carry terminal escapes, bidirectional overrides and lone surrogates.
Here they become visible and harmless. Markup is the other half of the danger: text that
went through here is still *plain text* and must be handed to widgets as such.
"""

from __future__ import annotations

import re
import unicodedata

# Cc controls, Cf format (bidi, zero-width), Cs lone surrogates, Co private use, Cn
# unassigned, Zl and Zp line and paragraph separators.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_ONLY_PRINTABLE_ASCII = re.compile(r"[ -~]*\Z")


def spelled(character: str) -> str:
    """One character as an escape in ASCII."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str, limit: int | None = None) -> str:
    """``text`` on one line, hidden characters shown as escapes, cut to ``limit`` characters.

    Tabs become a space and newlines ``⏎``, so that a row of a table stays a row. A cut is
    marked with ``…``.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…"
    if _ONLY_PRINTABLE_ASCII.match(text):
        return text
    shown = []
    for character in text:
        if character == "\t":
            shown.append(" ")
        elif character == "\n":
            shown.append("⏎")
        elif unicodedata.category(character) in _HIDDEN:
            shown.append(spelled(character))
        else:
            shown.append(character)
    return "".join(shown)


def visible_lines(text: str) -> list[str]:
    """``text`` split at its newlines, each line made visible."""
    return [visible(line) for line in text.replace("\r\n", "\n").split("\n")]
