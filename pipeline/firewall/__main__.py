"""``python -P -m pipeline.firewall``."""

from __future__ import annotations

from pipeline.platform import program

if __name__ == "__main__":
    program.begin()
    from pipeline.firewall.cli import main

    program.imported()
    program.leave(main())
