"""``python -P -m pipeline.firewall``."""

import sys

from pipeline.firewall.cli import main

if __name__ == "__main__":
    sys.exit(main())
