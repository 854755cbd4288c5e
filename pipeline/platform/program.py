"""How a program of ours starts and ends: most of them live for a fraction of a second."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn

# Objects that are made before the collector looks for cycles among the youngest; Python's own 700 lets it
# look a hundred times while modules are imported, where there is nothing to collect.
_YOUNG_OBJECTS = 50_000
_YOUNG_OBJECTS_OF_IMPORTS = 500_000


def begin() -> None:
    """Call it before the imports. What we start ourselves inherits it."""
    # Nobody's plugin has a say in what our models accept; and looking for one reads the entry points of
    # everything that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(_YOUNG_OBJECTS_OF_IMPORTS, 20, 50)


def imported() -> None:
    """Call it after the imports: what they made stays to the end, and the collector leaves it alone."""
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def leave(code: int) -> NoReturn:
    """End this process with ``code``, without taking apart what the system takes back anyway.

    What was registered for the exit is done, and the standard streams are flushed. Where another thread
    is alive, or somebody traces the process, Python ends it as ever.
    """
    if threading.active_count() > 1 or sys.gettrace() is not None or sys.getprofile() is not None:
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            sys.exit(code)  # Python has its own words for it
    os._exit(code)
