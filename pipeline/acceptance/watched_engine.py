"""The engine as ``python -P -m pipeline`` starts it, with its writes watched and folders listed backwards.

    python -P -m pipeline.acceptance.watched_engine ROOT LOG COMMAND …

Folders are listed backwards to show that no result depends on the order that a file system chooses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from pipeline.acceptance.write_watch import watch
from pipeline.platform import program


class _Entries:
    """What ``os.scandir`` gives, last entry first."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def list_backwards() -> None:
    """Let every folder be listed in the opposite of the order by name."""
    scandir, listdir = os.scandir, os.listdir

    def backwards(path: Any = ".") -> _Entries:
        with scandir(path) as entries:
            return _Entries(sorted(entries, key=lambda entry: entry.name, reverse=True))

    def names_backwards(path: Any = None) -> list[Any]:
        return sorted(listdir(path), reverse=True)

    os.scandir = backwards  # type: ignore[assignment]  # an iterator and a context manager, as the original
    os.listdir = names_backwards


def main(arguments: Sequence[str]) -> int:
    root, log, *argv = arguments
    watch(root, log)
    list_backwards()
    from pipeline.cli import main as run_command

    return run_command(argv)


if __name__ == "__main__":
    program.begin()
    program.leave(main(sys.argv[1:]))
