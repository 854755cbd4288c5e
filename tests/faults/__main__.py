"""Disturb every command that changes something, at every point that it has, and say what that broke.

python -m tests.faults [--minutes 20] [--seed 20261130] [--only COMMAND] [--page docs/reliability.md]

All points are listed first, then tried, kills before the others in an order that the seed draws, until the
time is over: what was not come to is counted too. A run with the same seed goes on where the last one ended.
Ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.faults import shim
from tests.faults.fault_loop import KINDS, fault_trial, operations_of
from tests.faults.kill_loop import kill_trial
from tests.faults.record import Record, Result, broken, table
from tests.faults.subjects import NAMES, subjects
from tests.faults.trial import Subject, adopt_orphans, warm_up
from tests.quick_folder import quick_folder

SEED = 20261130
KILLS = 210
_PAGE = """\
# Reliability

What `make faults` did to the commands that change something, on the machine and day of the table. A *point*
is an operation on a file (a write, fsync, rename, open, link, unlink or mkdir of the command and of what
it starts, such as git and the firewall) or a moment of a kill. Kills come first, then the other points in an
order that the seed draws; what the time did not reach is the difference between the columns. After each trial
the outputs must be those from before or those from after, the command must have ended with its documented
code and three lines, and carried out again on a sound machine it must end where an undisturbed one does.

"""

Trial = tuple[Subject, str, int, Callable[[], tuple[str, list[str]]]]


def main(words: Sequence[str]) -> int:
    options = _options(words)
    if shim.CONTROL_VARIABLE not in os.environ:
        return _under_the_shim(words)
    disk = shim.FaultyDisk(Path(os.environ[shim.CONTROL_VARIABLE]))
    warm_up()
    adopt_orphans()
    record = Record(options.record or Path("out/faults") / f"{options.seed}.jsonl")
    until = time.monotonic() + 60 * options.minutes
    with quick_folder() as folder:
        trials = _trials(folder, disk, options)
        planned = Counter((subject.name, what) for subject, what, _, _ in trials)
        _say(f"seed {options.seed}: {len(trials):,} points, {len(record.done):,} tried before")
        for subject, what, number, carry_out in trials:
            if time.monotonic() > until:
                break
            if (subject.name, what, number) not in record.done:
                operation, wrong = carry_out()
                record.add(Result(subject.name, what, number, operation, tuple(wrong)))
    found = broken(record.results)
    lines = table(record.results, planned)
    for line in [*lines, *found]:
        _say(line)
    if options.page:
        Path(options.page).write_text(_page(lines, found, options.seed))
    return 1 if found or not record.results else 0


def _trials(folder: Path, disk: shim.FaultyDisk, options: argparse.Namespace) -> list[Trial]:
    """Every point of every command, in the order in which they are tried."""
    killed: list[Trial] = []
    trials: list[Trial] = []
    kills = options.kills // len(NAMES)
    for subject in subjects(folder, options.only):
        counts: dict[int, int] = {}
        for kind in KINDS.values():
            if kind.operations not in counts:
                counts[kind.operations] = operations_of(subject, kind, disk, folder)
            for number in range(1, counts[kind.operations] + 1):
                carry_out = partial(fault_trial, subject, kind, number, disk, folder)
                trials.append((subject, kind.name, number, carry_out))
        for number in range(kills):
            carry_out = partial(kill_trial, subject, number, options.seed, folder)
            killed.append((subject, "killed", number, carry_out))
    random.Random(options.seed).shuffle(trials)  # noqa: S311 - to be repeated is the point
    return killed + trials


def _under_the_shim(words: Sequence[str]) -> int:
    """This program again, with the faulty disk below it."""
    if shim.compiler() is None:
        _say("no C compiler: the disk cannot be made to fail, and nothing was tried")
        return 5
    with tempfile.TemporaryDirectory(prefix="distill-faults-") as name:
        library = shim.build(Path(name))
        environment = shim.environment(library, shim.control_page(Path(name) / "control"))
        argv = [sys.executable, "-m", "tests.faults", *words]
        pid = os.posix_spawn(sys.executable, argv, environment)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _page(lines: Sequence[str], found: Sequence[str], seed: int) -> str:
    head = f"Seed {seed}, Python {sys.version.split()[0]}, {os.cpu_count()} cores.\n\n"
    said = [f"* {line}" for line in found] or ["No promise was broken in what was tried."]
    return _PAGE + head + "\n".join([*lines, "", *said, ""])


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", choices=NAMES, default=[])
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--page")
    return parser.parse_args(words)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
