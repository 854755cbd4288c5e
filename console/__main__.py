"""``python -m console`` is ``distill``."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # ``-m`` puts the current directory first, and a ``pipeline/`` that lies there must not be
    # imported by accident. Only a checkout of our own may stay.
    if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
        del sys.path[0]
    from console.cli.distill import entry

    entry()
