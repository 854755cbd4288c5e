"""Whether every module of an engine loads, found out in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.discovery import ENGINE_FLAGS, EngineChoice
from pipeline.contracts.untrusted import visible
from pipeline.platform import engine_probe
from pipeline.platform.lenient_json import Json, count_of, object_or_none, objects_of, text_of
from pipeline.platform.process import run
from pipeline.platform.starvation import is_starved_in_words


@dataclass(frozen=True)
class BrokenFile:
    """A file of the engine that does not load, and how many modules need it.

    ``named`` is what its import asks for, where that is a file of the engine too. ``line`` may be 0.
    """

    path: str
    line: int
    error: str
    modules: int
    named: str = ""

    def told_from(self, root: Path | None) -> str:
        """The file as a path below ``root``, where it is below it."""
        return visible(f"{_below(self.path, root)}:{self.line}: {self.error}", 400)


@dataclass(frozen=True)
class EngineModules:
    """``trouble`` says why nobody knows; without it, no ``broken`` file means that ``modules`` load.

    ``has_no_say``: the trouble tells of the machine and not of the engine.
    """

    place: str = ""
    modules: int = 0
    broken: tuple[BrokenFile, ...] = ()
    trouble: str = ""
    has_no_say: bool = False

    def told_from(self, root: Path | None = None) -> str:
        """The first broken file, and how much hangs on it; empty when all load."""
        if not self.broken:
            return self.trouble
        first, *others = self.broken
        needing = "1 module does" if first.modules == 1 else f"{first.modules} modules do"
        more = f"; {len(others)} more files are broken" if others else ""
        return f"{first.told_from(root)} ({needing} not load{more})"


def _below(path: str, root: Path | None) -> str:
    tops = (root, root.resolve()) if root is not None else ()
    return next((str(Path(path).relative_to(top)) for top in tops if Path(path).is_relative_to(top)), path)


def load_all(choice: EngineChoice, *, limit_seconds: float) -> EngineModules:
    """Import every module of the engine that ``choice`` names. The probe itself is the installed one."""
    done = run(
        [sys.executable, *ENGINE_FLAGS, str(Path(engine_probe.__file__))],
        limit_seconds=limit_seconds,
        env=choice.environment(),
    )
    if done.timed_out:
        return EngineModules(trouble=f"importing it takes over {limit_seconds:g} s", has_no_say=True)
    report = object_or_none(done.stdout.strip().rpartition(b"\n")[2])
    if done.exit_code is None or report is None:
        ended = done.why or f"exit code {done.exit_code}, {done.last_words or 'no word'}"
        return EngineModules(trouble=visible(ended, 200), has_no_say=done.has_no_say)
    failures = objects_of(report, "failures")
    starved = next((each for each in failures if is_starved_in_words(text_of(each, "error") or "")), None)
    if starved is not None:
        return EngineModules(trouble=visible(text_of(starved, "error") or "", 200), has_no_say=True)
    place = choice.in_the_workspace(text_of(report, "place") or "")
    return EngineModules(place, count_of(report, "modules") or 0, _by_file(failures, choice))


def _by_file(failures: Sequence[Json], choice: EngineChoice) -> tuple[BrokenFile, ...]:
    """The files in the order in which they were met; one that many import is told once."""
    found: dict[tuple[str, int], list[Json]] = {}
    for each in failures:
        place = text_of(each, "file") or text_of(each, "module") or "?"
        found.setdefault((place, count_of(each, "line") or 0), []).append(each)
    return tuple(
        BrokenFile(
            choice.in_the_workspace(path),
            line,
            choice.in_the_workspace(text_of(each[0], "error") or "no word"),
            len(each),
            choice.in_the_workspace(text_of(each[0], "named") or ""),
        )
        for (path, line), each in found.items()
    )
