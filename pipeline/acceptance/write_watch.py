"""Sees every write of a Python process that goes outside of a folder, by an audit hook.

A hook cannot be taken away again, so only processes of the engine get one. What a process opens
for writing, makes, renames, links or removes is resolved and compared; a line in the log tells
of each that lies elsewhere.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Event to the positions of the paths that it changes, and of the descriptors they are relative to.
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "sqlite3.connect": ((0, None),),
}
_HARMLESS = ("/dev/", "/proc/self/")
WATCHED = "watched"


def watch(root: str, log: str) -> None:
    """From now on, log what this process and its forks write outside of ``root``."""
    inside = os.path.realpath(root) + "/"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(descriptor, f"{WATCHED} {os.getpid()}\n".encode())

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(flags, int) and flags & _WRITING_FLAGS) or (
                isinstance(mode, str) and set(mode) & set("wax+")
            )
            if not writes:
                return
            places: list[str | None] = [_place(path, None)]
        elif event in _CHANGES:
            places = [
                _place(arguments[at], None if base is None or base >= len(arguments) else arguments[base])
                for at, base in _CHANGES[event]
            ]
        else:
            return
        for place in places:
            if place is not None and not place.startswith((inside, *_HARMLESS)):
                line = f"{event} {place}".encode("utf-8", "backslashreplace").replace(b"\n", b"\\n")
                os.write(descriptor, line + b"\n")

    sys.addaudithook(hook)


def _place(path: Any, base: Any) -> str | None:
    """Where ``path`` is; None for a descriptor that is open already, or for no path at all."""
    if isinstance(path, int) or path is None:
        return None
    try:
        text = os.fsdecode(path)
    except TypeError:
        return None
    if text.startswith("file:"):
        text = text.removeprefix("file:").split("?", 1)[0].replace("//", "/", 1)
    if text == ":memory:":
        return None
    if isinstance(base, int) and base >= 0 and not text.startswith("/"):
        try:
            text = os.path.join(os.readlink(f"/proc/self/fd/{base}"), text)  # noqa: PTH115, PTH118
        except OSError:
            return None
    # The last name may be a link that is replaced and not followed; what leads to it is followed.
    folder, name = os.path.split(os.path.abspath(text))  # noqa: PTH100
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
