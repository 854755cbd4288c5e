"""Disturb every command that changes something, at every point that it has, and say what that broke.

Beside disks that fail and kills: attacks from outside under whoever asks the firewall, torn tails, files
changed by another hand, two writers, clocks, locales and modes.

python -m tests.faults [--minutes 20] [--seed 20261130] [--only COMMAND] [--page docs/reliability.md]

All points are listed first, then tried, kills before the others in an order that the seed draws, a few of
each kind before many of one, until the time is over: what was not come to is counted too. A run with the
same seed goes on where the last one ended. Ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.faults import shim
from tests.faults.attacks import in_order, trials_by_kind
from tests.faults.fault_loop import KINDS, fault_trial, operations_of
from tests.faults.kill_loop import kill_trial
from tests.faults.neighbours import (
    clock_trials,
    locale_trials,
    mode_trials,
    writer_trials,
)
from tests.faults.record import Record, Result, broken, table
from tests.faults.subjects import NAMES, ONE_AT_A_TIME, audited, subjects
from tests.faults.tampering import tamper_trials, torn_trials
from tests.faults.trial import Trial, adopt_orphans, warm_up
from tests.quick_folder import quick_folder

SEED = 20261130
# What needs no command of its own, but a workspace of its own: how that is made, and what is tried in it.
AROUND: Mapping[str, tuple[Callable[[Path], Path], Callable[[Path, Path], Iterable[Trial]]]] = {
    "readers": (audited, torn_trials),
    "verdicts": (audited, tamper_trials),
    "attacks": (in_order, trials_by_kind),
}
KILLS = 210
FIRST_OF_A_KIND = 3
_PAGE = """\
# Reliability

What `make faults` did to the commands that change something, on the machine and day of the table. A *point*
is an operation on a file (a write, fsync, rename, open, link, unlink or mkdir of the command and of what
it starts, such as git and the firewall) or a moment of a kill. Kills come first, then the other points in an
order that the seed draws, a few of each kind before many of one; what the time did not reach is the
difference between the columns. After each trial
the outputs must be those from before or those from after, the command must have ended with its documented
code and three lines, and carried out again on a sound machine it must end where an undisturbed one does.
Whoever asks the firewall is asked while an attack from outside is in place: forged rows, files beside the
exports, walls without eyes (evidence that cannot be read), waits without end (pipes into which nobody
writes), and a bad firewall, which is dead, hung, starved or contradicts itself. Each asker ends in time and
says so, and never CLEAR or 0; `python -m tests.faults.attacks` prints every answer. A file that a verdict
reads and another hand has changed is named by the audit or by `distill incident verify`. A *torn tail* is
tried at every byte of a journal's last line.

"""


def main(words: Sequence[str]) -> int:
    options = _options(words)
    if not options.minutes:
        record = _record(options)
        return _tell(record, record.plan(Counter()), options)
    if shim.CONTROL_VARIABLE not in os.environ:
        return _under_the_shim(words)
    disk = shim.FaultyDisk(Path(os.environ[shim.CONTROL_VARIABLE]))
    warm_up()
    adopt_orphans()
    record = _record(options)
    until = time.monotonic() + 60 * options.minutes
    with quick_folder() as folder:
        trials = _trials(folder, disk, options)
        planned = record.plan(Counter((trial.subject, trial.what) for trial in trials))
        _say(f"seed {options.seed}: {len(trials):,} points, {len(record.done):,} tried before")
        for trial in trials:
            if time.monotonic() > until:
                break
            if (trial.subject, trial.what, trial.number) not in record.done:
                operation, wrong = trial.carry_out()
                record.add(Result(trial.subject, trial.what, trial.number, operation, tuple(wrong)))
    return _tell(record, planned, options)


def _record(options: argparse.Namespace) -> Record:
    return Record(options.record or Path("out/faults") / f"{options.seed}.jsonl")


def _tell(record: Record, planned: Counter[tuple[str, str]], options: argparse.Namespace) -> int:
    """The table of all that was tried so far; with ``--minutes 0`` nothing more is."""
    found = broken(record.results)
    lines = table(record.results, planned)
    for line in [*lines, *found]:
        _say(line)
    if options.page:
        Path(options.page).write_text(_page(lines, found, record, planned, options.seed))
    return 1 if found or not record.results else 0


def _trials(folder: Path, disk: shim.FaultyDisk, options: argparse.Namespace) -> list[Trial]:
    """Every point of every command, in the order in which they are tried."""
    killed: list[Trial] = []
    trials: list[Trial] = []
    kills = options.kills // len(NAMES)
    only = set(options.only)
    starts: dict[Callable[[Path], Path], Path] = {}
    for name, (prepare, make) in AROUND.items():
        if not only or name in only:
            if prepare not in starts:
                starts[prepare] = prepare(folder)
            trials += make(starts[prepare], folder)
    for subject in subjects(folder, options.only) if not only or only & set(NAMES) else ():
        counts: dict[int, int] = {}
        for kind in KINDS.values():
            if kind.operations not in counts:
                counts[kind.operations] = operations_of(subject, kind, disk, folder)
            for number in range(1, counts[kind.operations] + 1):
                carry_out = partial(fault_trial, subject, kind, number, disk, folder)
                trials.append(Trial(subject.name, kind.name, number, carry_out))
        for number in range(kills):
            carry_out = partial(kill_trial, subject, number, options.seed, folder)
            killed.append(Trial(subject.name, "killed", number, carry_out))
        trials += [*clock_trials(subject, disk, folder), *locale_trials(subject, folder)]
        trials += mode_trials(subject, folder)
        if subject.name in ONE_AT_A_TIME:
            trials += writer_trials(subject, folder)
    random.Random(options.seed).shuffle(trials)  # noqa: S311 - to be repeated is the point
    return killed + each_kind_first(trials)


def each_kind_first(trials: Sequence[Trial]) -> list[Trial]:
    """The first few of each command and kind before all others: a short run misses no kind."""
    seen: Counter[tuple[str, str]] = Counter()
    first: list[Trial] = []
    later: list[Trial] = []
    for trial in trials:
        seen[trial.subject, trial.what] += 1
        few = seen[trial.subject, trial.what] <= FIRST_OF_A_KIND
        (first if few else later).append(trial)
    return first + later


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


def _page(
    lines: Sequence[str], found: Sequence[str], record: Record, planned: Counter[tuple[str, str]], seed: int
) -> str:
    tried = [result for result in record.results if result.operation]
    kills = sum(result.what == "killed" for result in tried)
    head = [
        f"Seed {seed}, Python {sys.version.split()[0]}, {os.cpu_count()} cores. In all {len(tried):,} of "
        f"{planned.total():,} points were tried, {kills:,} of them kills.",
        "",
        "* What was lost: " + (_those(found, "neither before nor after", "otherwise") or "nothing."),
        "* What nobody names: " + (_those(found, "nobody names it") or "nothing."),
        "* Other promises that were broken: " + (_those(found) or "none."),
        "",
    ]
    return _PAGE + "\n".join([*head, *lines]) + "\n"


def _those(found: Sequence[str], *words: str) -> str:
    """The broken promises that one of ``words`` tells of; without any, those of which none does."""
    named = ("neither before nor after", "otherwise", "nobody names it")
    return "; ".join(line for line in found if any(word in line for word in words or named) is bool(words))


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", choices=(*NAMES, *AROUND), default=[])
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--page")
    return parser.parse_args(words)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
