"""What changed in a workspace's own code since it was trusted last, as a diff for a person or a log."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.discovery import installed_package
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform.engine_choice import Stakes, TrustNeededError, stakes_of
from pipeline.platform.engine_copy import PACKAGE, copy_of
from pipeline.platform.engine_files import read_engine, read_file
from pipeline.platform.trust_book import read_book

# A person reads no more at once, and a log holds less; ``distill trust --show`` prints the rest.
DIFF_LINES = 200
LOGGED_LINES = 40
_LINE_CHARACTERS = 300
_MOST_DIFFED_BYTES = 1 << 20


@dataclass(frozen=True)
class Difference:
    """The engine against ``base``, which is told in words: paths by kind, and a unified diff."""

    base: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        counts = ((self.changed, "changed"), (self.added, "new"), (self.removed, "gone"))
        told = ", ".join(f"{len(paths)} {word}" for paths, word in counts if paths)
        return f"with {self.base}: {told or 'no difference'}"


def difference(stakes: Stakes) -> Difference | None:
    """Against the engine of this workspace that was trusted last, else against the installed one.

    None where the workspace asks for no engine of its own, or it cannot be read. Raises OSError.
    """
    if stakes.files is None:
        return None
    now = stakes.files.digests
    known = (digest for digest in reversed(read_book().of(stakes.root).engines))
    last = next((copy for digest in known if (copy := copy_of(digest)) is not None), None)
    package, base = (last, "what you trusted last") if last else (installed_package(), "the installed engine")
    before = read_engine(package).digests
    added = tuple(sorted(now.keys() - before.keys()))
    removed = tuple(sorted(before.keys() - now.keys()))
    changed = tuple(sorted(path for path in now.keys() & before.keys() if now[path] != before[path]))
    lines = tuple(
        line
        for path in sorted((*added, *removed, *changed))
        for line in _diff(package, stakes.root / PACKAGE, path, path in before, path in now)
    )
    return Difference(base, added, changed, removed, lines)


def _diff(package: Path, own: Path, path: str, was: bool, now: bool) -> Iterator[str]:
    old, new = (read_file(where, path) if there else b"" for where, there in ((package, was), (own, now)))
    name = f"{PACKAGE}/{path}"
    if b"\0" in old + new or len(old) + len(new) > _MOST_DIFFED_BYTES:
        yield f"{visible(name)}: {plural(len(old), 'byte')} before, {len(new):,} now; it is not shown"
        return
    before, after = (data.decode("utf-8", "backslashreplace").splitlines() for data in (old, new))
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="", n=2):
        yield visible(line, _LINE_CHARACTERS)


def told(stakes: Stakes, found: Difference | None, most_lines: int | None = DIFF_LINES) -> Iterator[str]:
    """What would run here, for a person."""
    if stakes.files is not None:
        yield f"engine     {visible(str(stakes.root / PACKAGE))}: {plural(len(stakes.files.digests), 'file')}"
    if stakes.trouble:
        yield f"engine     cannot be trusted: {stakes.trouble}"
    for name, words in stakes.programs.items():
        yield f"program    {name} = {visible(' '.join(words), _LINE_CHARACTERS)}"
    if found is not None:
        yield f"compared   {found.in_words}"
        shown = found.lines if most_lines is None else found.lines[:most_lines]
        yield from shown
        if len(shown) < len(found.lines):
            left = len(found.lines) - len(shown)
            yield f"… {left:,} more lines: distill trust --show"
    yield f"digest     {stakes.digest or 'none'}"


def logged(error: TrustNeededError) -> list[str]:
    """What would have run, for the log of a command that could ask nobody; nothing after a look."""
    if error.was_shown:
        return []
    try:
        stakes = stakes_of(error.root)
        return list(told(stakes, difference(stakes), LOGGED_LINES))
    except (OSError, OperatorError):
        return []
