"""``python -P -m pipeline NAME …`` runs an engine command."""

from __future__ import annotations

import sys

from pipeline.platform import program

if __name__ == "__main__":
    program.begin()
    from pipeline.cli import main

    program.leave(main(sys.argv[1:]))
