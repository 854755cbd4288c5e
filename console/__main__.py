"""``python -m console`` is ``distill``."""

from __future__ import annotations

import sys

from console.distill import entry

if __name__ == "__main__":
    sys.exit(entry())
