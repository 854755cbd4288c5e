"""Work in a child that kills itself at a boundary of its journal, as a power cut would."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable

Boundary = Callable[[str], None]


def killed_where(is_due: Callable[[str], bool], body: Callable[[Boundary], None]) -> str | None:
    """Run ``body`` in a child that dies by SIGKILL at the first boundary for which ``is_due``.

    The boundary's name; None when the body came to its end before one. A body that raises fails
    the test, in its own words.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:

        def boundary(name: str) -> None:
            if is_due(name):
                os.write(writing, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            body(boundary)
            code = 0
        except BaseException:  # noqa: BLE001 - what went wrong is told by the parent
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return said
    assert os.waitstatus_to_exitcode(status) == 0, said
    return None
