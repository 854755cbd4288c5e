"""An engine that replays a recorded event stream: a real process, with nothing behind it.

python fake_engine.py STREAM EXIT_CODE … --events PATH …    # the rest of the arguments is ignored

The last line is held back until a file named ``release`` lies in the working directory, so that
a test decides how long a run is under way. It gives up by itself after five minutes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 300.0
RELEASE = "release"


def main(argv: list[str]) -> int:
    stream, exit_code = Path(argv[0]), int(argv[1])
    events = Path(argv[argv.index("--events") + 1])
    *lines, last = stream.read_bytes().splitlines(keepends=True)
    with events.open("ab", buffering=0) as out:
        out.write(b"".join(lines))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not Path(RELEASE).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        out.write(last)
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
