"""A reader without any privilege: root may read what nobody else may, and tests often run as root."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

NOBODY = 65534
Found = TypeVar("Found")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every account can pass through, unlike those that pytest makes."""
    folder = Path(tempfile.mkdtemp(prefix="distill-other-user-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for path in (folder, *(place for place in folder.rglob("*") if place.is_dir())):
            path.chmod(0o755)
        shutil.rmtree(folder)


def unprivileged(do: Callable[[], Found]) -> Found:
    """What ``do`` returns when an ordinary account does it: a child of its own where we are root."""
    if os.geteuid() != 0:
        return do()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:  # nothing may escape from here
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(theirs, pickle.dumps(do()))
            code = 0
        except BaseException:  # noqa: BLE001 (told, and the child ends)
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return cast(Found, pickle.loads(answer))  # noqa: S301 (our own child wrote it)
