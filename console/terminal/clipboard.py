"""The escape sequence that copies text to the operator's own clipboard (OSC 52)."""

from __future__ import annotations

import base64

# Terminals cut or drop longer sequences; xterm's limit is the smallest that is documented.
LIMIT_BYTES = 74_994


def osc52(text: str, *, inside_tmux: bool) -> str | None:
    """The sequence for ``text``; None when it is too long for terminals to take.

    Within tmux it is sent twice, bare and wrapped: which of them tmux lets through depends on
    ``set-clipboard`` and ``allow-passthrough``, and copying the same text twice does no harm.
    """
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    if len(encoded) > LIMIT_BYTES:
        return None
    sequence = f"\x1b]52;c;{encoded}\x07"
    if not inside_tmux:
        return sequence
    return f"{sequence}\x1bPtmux;\x1b{sequence}\x1b\\"
