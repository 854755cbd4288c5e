"""What is odd around a command: the clock, the locale, another writer, the modes of folders."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.contracts.faults import ExitCode
from tests.faults.shim import FaultyDisk
from tests.faults.trial import (
    FORBIDDEN,
    Ended,
    Running,
    Subject,
    Trial,
    World,
    copied,
    run,
    unfinished,
    what_is_wrong,
)

_DAY = 86_400
_CLOCKS = {
    "in 1970": -56 * 365 * _DAY,
    "a day back": -_DAY,
    "a day ahead": _DAY,
    "200 years on": 200 * 365 * _DAY,
}
_LOCALES = (
    "C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1", "tr_TR.UTF-8", "ja_JP.eucJP", "de_DE@euro",
)  # fmt: skip
_PLACES = (".distill", "data/_kb", "data/evidence", "exports", "exports/sft", "reports", "reports/incidents")
_MODES = {"nothing may be written": 0o500, "nothing may be read": 0o000}


def clock_trials(subject: Subject, disk: FaultyDisk, folder: Path) -> Iterator[Trial]:
    """A wall clock that is wrong changes no output."""
    for number, name in enumerate(_CLOCKS, start=1):
        yield Trial(subject.name, "wrong clock", number, partial(_at, subject, name, disk, folder))


def _at(subject: Subject, name: str, disk: FaultyDisk, folder: Path) -> tuple[str, list[str]]:
    root = copied(subject.start, folder / "trial")
    with disk.clock_off_by(_CLOCKS[name]):
        ended = run(subject.argv, root, folder / "output")
    return name, _as_undisturbed(subject, root, ended, folder)


def locale_trials(subject: Subject, folder: Path) -> Iterator[Trial]:
    for number, name in enumerate(_LOCALES, start=1):
        yield Trial(subject.name, "locale", number, partial(_in_locale, subject, name, folder))


def _in_locale(subject: Subject, name: str, folder: Path) -> tuple[str, list[str]]:
    root = copied(subject.start, folder / "trial")
    world = World({"LC_ALL": name, "LANG": name}, fresh=True)
    ended = run(subject.argv, root, folder / "output", world)
    return name, _as_undisturbed(subject, root, ended, folder)


def _as_undisturbed(subject: Subject, root: Path, ended: Ended, folder: Path) -> list[str]:
    wrong = what_is_wrong(subject, root, ended, folder / "settled", killed=False)
    if ended.code != subject.ends_with:
        wrong.append(f"ends with {ended.code} instead of {subject.ends_with}")
    return wrong


def writer_trials(subject: Subject, folder: Path, tries: int = 5) -> Iterator[Trial]:
    """The same command twice at once: one does it, the other is told who does, or finds it done."""
    for number in range(1, tries + 1):
        yield Trial(subject.name, "two writers", number, partial(_twice, subject, folder))


def _twice(subject: Subject, folder: Path) -> tuple[str, list[str]]:
    root = copied(subject.start, folder / "trial")
    both = [Running(subject.argv, root, folder / f"output-{name}") for name in "ab"]
    ended = [running.wait() for running in both]
    for running, end in zip(both, ended, strict=True):
        if end is None:
            running.kill()
            running.wait()
    codes = [None if end is None else end.code for end in ended]
    wrong = [each for end in ended if end is not None for each in _forbidden(end)]
    # 11: its plan was void by the time, because the other one had carried it out.
    refused = {ExitCode.LOCKED} | ({ExitCode.APPROVAL_NEEDED} if subject.argv[0] == "console" else set())
    if subject.ends_with not in codes or not set(codes) <= {subject.ends_with, *refused}:
        wrong.append(f"two at once end with {' and '.join(map(str, codes))}")
    return f"ended with {codes[0]} and {codes[1]}", wrong + unfinished(subject, root, folder / "output")


def mode_trials(subject: Subject, folder: Path) -> Iterator[Trial]:
    """A folder that its modes close, for who has no power over modes."""
    for what, mode in _MODES.items():
        for number, place in enumerate(_PLACES, start=1):
            if (subject.start / place).is_dir():
                yield Trial(subject.name, what, number, partial(_closed, subject, place, mode, folder))


def _closed(subject: Subject, place: str, mode: int, folder: Path) -> tuple[str, list[str]]:
    root = copied(subject.start, folder / "trial")
    closed = root / place
    before = stat.S_IMODE(closed.stat().st_mode)
    closed.chmod(mode)
    try:
        ended = run(subject.argv, root, folder / "output", World(powerless=True))
    finally:
        closed.chmod(before)
    wrong = what_is_wrong(subject, root, ended, folder / "settled", killed=False)
    if ended.code != subject.ends_with:
        wrong += unfinished(subject, root, folder / "output")
    return f"{place} with mode {mode:o}", wrong


def _forbidden(ended: Ended) -> list[str]:
    return [f"says {word!r}" for word in FORBIDDEN if word in ended.text]
