"""Walls attacked from outside: what is planted, what each asker of the firewall says, and whether it held.

python -m tests.faults.attacks [--minutes 30] [--only KIND] [--asker NAME] [--each N] [--seed N]

Each attack is planted in a copy of a workspace that was in order, and each asker is started in it as its
user starts it. It held when the asker ended in time, said what it must, never CLEAR, and did not end with 0
(but for those that report and end with 0 by contract: handover, metrics, the dashboard). The first kind
plants nothing: there everybody has to say CLEAR, so that an asker who never does is found out. Ends with 1
where one did not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.contracts.discovery import INSTALLED_PYTHON_VARIABLE
from pipeline.contracts.faults import ExitCode
from tests.faults.askers import ASKERS, Asker
from tests.faults.attack_plants import BESIDE, BLIND, BLOCKED, ROWS, WAITED_FOR, Plant
from tests.faults.trial import (
    FORBIDDEN,
    LIMIT_SECONDS,
    THREE_LINES,
    Ended,
    Trial,
    World,
    adopt_orphans,
    copied,
    run,
    warm_up,
)
from tests.pipeline.audit.audited import passing_acceptance
from tests.quick_folder import quick_folder
from tests.runbook.symptoms.walked import filled

SEED = 20261130
IN_ORDER = "nothing planted"
ALARM, NOT_CLEAR, ANY = ("BREACH",), ("BREACH", "UNKNOWN", "ABSENT"), ()
# What a firewall may do wrong, as a shell's words. A report that is right in itself is believed: that the
# firewall is the installed one, trust in code holds.
_FIREWALLS: Mapping[str, str] = {
    "dead": "exit 1",
    "killed": "kill -9 $$",
    "hung": "trap '' TERM INT; exec sleep 3600",
    "silent": "exit 0",
    "says CLEAR and no more": """echo '{"state": "CLEAR"}'; exit 0""",
    "says CLEAR and ends with 10": """echo '{"state": "CLEAR"}'; exit 10""",
    "says BREACH and ends with 0": """echo '{"state": "BREACH"}'; exit 0""",
    "cut off": """printf '{"state": "CLE'; exit 0""",
    "left with four descriptors": f'ulimit -n 4; exec {sys.executable} "$@"',
    "left without memory": f'ulimit -v 20000; exec {sys.executable} "$@"',
}
# Who runs the firewall's own command sees what that ends with, and no word of another.
_ASK_ANOTHER = tuple(name for name in ASKERS if name != "firewall")


@dataclass(frozen=True)
class Attack:
    """``words``: one of them has to be said; where there are none, anything may be.

    ``firewall`` is the shell that stands for it; ``askers`` are those whom it concerns.
    """

    kind: str
    name: str
    plant: Plant
    words: Sequence[str] = NOT_CLEAR
    firewall: str = ""
    askers: Sequence[str] = tuple(ASKERS)
    powerless: bool = False


def _nothing(_root: Path) -> None:
    return None


def attacks() -> Iterator[Attack]:
    yield Attack(IN_ORDER, "a workspace in order", _nothing, ("CLEAR",))
    for name, plant in ROWS.items():
        yield Attack("forged rows", name, plant, ALARM)
    for name, plant in BESIDE.items():
        yield Attack("files beside the exports", name, plant, NOT_CLEAR)
    for name, plant in BLIND.items():
        yield Attack("walls without eyes", name, plant, powerless=True)
    for name, shell in _FIREWALLS.items():
        yield Attack("bad firewall", name, _nothing, firewall=shell, askers=_ASK_ANOTHER)
    for name, plant in BLOCKED.items():
        yield Attack("waits without end", f"a pipe: {name}", plant)
    for name, plant in WAITED_FOR.items():
        yield Attack("waits without end", f"a pipe: {name}", plant, ANY)


def attack_trials(start: Path, folder: Path) -> Iterator[Trial]:
    """Every attack under every asker; ``start`` is a workspace that ``in_order`` made."""
    numbers: dict[tuple[str, str], int] = {}
    for attack in attacks():
        for name in attack.askers:
            key = (name, attack.kind)
            numbers[key] = numbers.get(key, 0) + 1
            carry_out = partial(_attacked, attack, ASKERS[name], start, folder)
            yield Trial(name, attack.kind, numbers[key], carry_out)
    for number, way in enumerate(_SERVERS, start=1):
        yield Trial("replay", "slow server", number, partial(_served, way, start, folder))


def trials_by_kind(start: Path, folder: Path) -> Iterator[Trial]:
    """The same for a table with a row a kind: whom the attack was under stands in what it met."""
    numbers: Counter[str] = Counter()
    for trial in attack_trials(start, folder):
        numbers[trial.what] += 1
        yield Trial("askers", trial.what, numbers[trial.what], partial(_under, trial))


def _under(trial: Trial) -> tuple[str, list[str]]:
    met, wrong = trial.carry_out()
    return f"{trial.subject}, {met}", wrong


def in_order(folder: Path) -> Path:
    """A workspace in which every asker says CLEAR and ends with 0: exported, and made into a format.

    It was never audited: in a copy, a report is older than its files, and stale would hide an exit code.
    """
    start = copied(filled(folder / "to-attack").root, folder / "starts" / "attacked")
    passing_acceptance(start / "acceptance.json")
    ended = run(("pipeline", "export", "--format", "trl-conversational"), start, folder / "output")
    if ended.code:
        raise RuntimeError(f"the workspace to be attacked is not in order: {ended.text}")
    return start


def _attacked(attack: Attack, asker: Asker, start: Path, folder: Path) -> tuple[str, list[str]]:
    root = copied(start, folder / "trial")
    attack.plant(root)
    try:
        word, ended = asker.ask(root, folder / "output", _world(attack, folder))
    finally:
        _open_again(root)
    wrong = what_did_not_hold(attack, asker, word, ended)
    return f"{attack.name}: {word}, exit {ended.code}", wrong


def _world(attack: Attack, folder: Path) -> World:
    if not attack.firewall:
        return World(powerless=attack.powerless)
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\ncase " $* " in *" pipeline.firewall "*) {attack.firewall} ;; esac\n'
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return World({INSTALLED_PYTHON_VARIABLE: str(python)}, powerless=attack.powerless)


def _open_again(root: Path) -> None:
    """So that the next trial can take it away."""
    for place, folders, _ in os.walk(root):
        for name in folders:
            if not (path := Path(place) / name).is_symlink():
                path.chmod(path.stat().st_mode | 0o700)


def what_did_not_hold(attack: Attack, asker: Asker, word: str, ended: Ended) -> list[str]:
    wrong = [f"{attack.kind}: says {each!r}" for each in asker.forbidden if each in ended.text]
    if ended.code < 0:
        wrong.append(f"{attack.kind}: does not end within {LIMIT_SECONDS:g} s")
    elif attack.words and word not in attack.words and not _is_no_word(word):
        wrong.append(f"{attack.kind}: {attack.name}: says {word}")
    elif attack.words and (ended.code == ExitCode.OK) != (attack.words == ("CLEAR",)) and asker.tells_by_code:
        wrong.append(f"{attack.kind}: {attack.name}: ends with {ended.code}")
    return wrong


def _is_no_word(word: str) -> bool:
    """A command that ended with a code of its own has not called anything clear."""
    return word.startswith("exit ")


# A server of a model that is not in a hurry

_SERVERS: Mapping[str, str] = {
    "accepts and says nothing": "",
    "sends a byte of its answer now and then": "HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n",
    "sends a byte of its head now and then": "HTTP/1.1 200 OK\\r\\nX: ",
}
_SERVER = """\
import socket, sys, time
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
held = []
while True:
    connection, _ = listening.accept()
    held.append(connection)
    connection.sendall(b"{head}")
    try:
        while {head!r}:
            connection.sendall(b" ")
            time.sleep(0.05)
    except OSError:
        pass
"""


def _served(way: str, start: Path, folder: Path) -> tuple[str, list[str]]:
    root = copied(start, folder / "trial")
    program = _SERVER.format(head=_SERVERS[way])
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            with (root / "distill.toml").open("a") as file:
                file.write(f'\n[replay]\nbase_url = "http://127.0.0.1:{port}/v1"\ntimeout_seconds = 1.0\n')
            argv = ("pipeline", "replay", "--task", "stop service 0", "--model", "openai:m", "--local-only")
            ended = run(argv, root, folder / "output")
        finally:
            server.send_signal(signal.SIGKILL)
    wrong = [f"says {each!r}" for each in FORBIDDEN if each in ended.text]
    if ended.code < 0:
        wrong.append(f"does not end within {LIMIT_SECONDS:g} s")
    elif ended.code == ExitCode.OK or not all(line in ended.text for line in THREE_LINES):
        wrong.append(f"a server that {way}: ends with {ended.code}, not in three lines")
    return f"a server that {way}: exit {ended.code}", wrong


# The table


def main(words: Sequence[str]) -> int:
    options = _options(words)
    warm_up()
    adopt_orphans()
    until = time.monotonic() + 60 * options.minutes
    failed = tried = 0
    print("| attack | asked | answered | held |\n|---|---|---|---|")  # noqa: T201
    with quick_folder() as folder:
        trials = [
            trial
            for trial in attack_trials(in_order(folder), folder)
            if (not options.only or trial.what in options.only)
            and (not options.asker or trial.subject in options.asker)
        ]
        random.Random(options.seed).shuffle(trials)  # noqa: S311 - to be repeated is the point
        trials = list(_few_of_each(trials, options.each)) if options.each else trials
        for trial in trials:
            if time.monotonic() > until:
                break
            met, wrong = trial.carry_out()
            tried, failed = tried + 1, failed + bool(wrong)
            name, _, answer = met.rpartition(": ")
            held = "yes" if not wrong else "NO: " + "; ".join(wrong)
            print(f"| {trial.what}: {name} | `{trial.subject}` | {answer} | {held} |", flush=True)  # noqa: T201
    print(f"\n{tried} of {len(trials)} tried, {failed} did not hold (seed {options.seed})")  # noqa: T201
    return 1 if failed or not tried else 0


def _few_of_each(trials: Iterable[Trial], count: int) -> Iterator[Trial]:
    """All in which nothing is planted, and so many of each other kind."""
    taken: Counter[str] = Counter()
    for trial in trials:
        taken[trial.what] += 1
        if trial.what == IN_ORDER or taken[trial.what] <= count:
            yield trial


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.attacks")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--each", type=int, default=0, metavar="N", help="so many of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", default=[], metavar="KIND")
    parser.add_argument("--asker", action="append", choices=(*ASKERS, "replay"), default=[])
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
