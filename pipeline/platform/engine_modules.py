"""Whether every module of an engine loads, found out in a process of its own.

What loaded once is remembered in this process: the same bytes load again by the same interpreter, beside
the same packages. What did not load is asked again each time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.contracts.discovery import ENGINE_FLAGS, EngineChoice, installed_package
from pipeline.contracts.untrusted import visible
from pipeline.platform import engine_probe
from pipeline.platform.engine_copy import PACKAGE
from pipeline.platform.engine_files import read_engine
from pipeline.platform.lenient_json import Json, count_of, object_or_none, objects_of, text_of
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended
from pipeline.platform.starvation import is_starved_in_words

_MOST_OUTPUT_BYTES = 16 * 2**20
# Of the environment, what an interpreter and what it imports go by.
_DECIDES = ("PYTHON", "LD_", "LC_", "LANG", "DISTILL_")
_PACKAGES = ("site-packages", "dist-packages")


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

    ``has_no_say``: the trouble tells of the machine and not of the engine. ``answers`` are those to the
    commands that were asked, where there were any and they could be answered on the way.
    """

    place: str = ""
    modules: int = 0
    broken: tuple[BrokenFile, ...] = ()
    trouble: str = ""
    has_no_say: bool = False
    answers: tuple[Ended, ...] = ()

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


_loaded: dict[Hashable, EngineModules] = {}


def load_all(
    choice: EngineChoice,
    *,
    limit_seconds: float,
    commands: Sequence[Sequence[str]] = (),
    cwd: Path | None = None,
) -> EngineModules:
    """Import every module of the engine that ``choice`` names. The probe itself is the installed one.

    Where all of them load, the same process answers the engine ``commands``.
    """
    environment = choice.environment()
    key = _what_decides(choice, environment)
    if key is not None and (known := _loaded.get(key)) is not None:
        return known
    done = run(
        [sys.executable, *ENGINE_FLAGS, str(Path(engine_probe.__file__)), json.dumps(list(commands))],
        limit_seconds=limit_seconds,
        cwd=cwd,
        env=environment,
        keep_bytes=_MOST_OUTPUT_BYTES,
    )
    found = _told(done, choice, limit_seconds)
    if key is not None and not (found.trouble or found.broken):
        _loaded[key] = replace(found, answers=())
    return found


def _told(done: Ended, choice: EngineChoice, limit_seconds: float) -> EngineModules:
    """What the probe's end says."""
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
    answers = tuple(_ended(each) for each in objects_of(report, "answers"))
    modules = count_of(report, "modules") or 0
    return EngineModules(place, modules, _by_file(failures, choice), answers=answers)


def _ended(answer: Json) -> Ended:
    """A command's end as the probe tells it."""
    code = answer.get("exit_code")
    exit_code = code if isinstance(code, int) else 1
    out, err = ((text_of(answer, name) or "").encode("latin-1", "replace") for name in ("stdout", "stderr"))
    return Ended(exit_code, out, err, returncode=exit_code)


def _what_decides(choice: EngineChoice, environment: Mapping[str, str]) -> Hashable | None:
    """All that decides whether the modules load; None where it cannot be read."""
    place = choice.path or choice.directory
    package = place / PACKAGE if place is not None else installed_package()
    try:
        digest = read_engine(package).digest
        beside = tuple(_stamps(Path(folder)) for folder in sys.path if folder.endswith(_PACKAGES))
    except OSError:
        return None
    variables = tuple(sorted(each for each in environment.items() if each[0].startswith(_DECIDES)))
    return (sys.executable, str(package), digest, choice, variables, beside)


def _stamps(folder: Path) -> tuple[tuple[str, int], ...]:
    """What lies in a folder of packages, and when each of them was changed. Raises OSError."""
    with os.scandir(folder) as entries:
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries))


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
