"""Change product code a little, see whether the tests of the changed module notice, and put it back.

python -m tests.mutation [--count 120] [--minutes 60] [--seed 20261130] [--only PACKAGE]

The sample is drawn by the seed, as many from each package as from any other; each change is tried alone, in
a copy of the checkout, with the test files that name its module.
Ends with 1 when fewer than nine of ten are noticed, or fewer than four of five in one package; with 3 when
nothing could be tried. What behaves as before is no fault of the tests: read the survivors.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation.changes import Change, changes
from tests.mutation.trial import CHECKOUT, Tree, Verdict, files_that_name

SEED = 20261130
_GOAL, _GOAL_OF_ONE = 0.9, 0.8
_SLOWEST_MINUTES = 5
PACKAGES = ("console", "pipeline", "runbook")


def main(words: Sequence[str]) -> int:
    options = _options(words)
    until = time.monotonic() + 60 * options.minutes
    verdicts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        if not tree.imports_itself():
            _say("The copy of the checkout is not what its interpreter imports.")
            return 3
        for number, (stratum, module, change) in enumerate(sample(options.seed, options.only)):
            if number == options.count or time.monotonic() > until:
                break
            verdict = _try(tree, module, change)
            if verdict is None:
                continue
            verdicts[stratum][verdict] += 1
            if verdict != "killed":
                _say(f"{verdict}: {module}:{change.line} {change.kind}")
                _say(f"    - {_one_line(change.before)}\n    + {_one_line(change.after)}")
    return _judged(verdicts)


def sample(seed: int, only: str = "") -> Iterator[tuple[str, Path, Change]]:
    """Changes in an order that the seed draws, a package after the other, each module once a round."""
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    waiting: dict[str, list[Path]] = defaultdict(list)
    for package in PACKAGES:
        for file in sorted((CHECKOUT / package).rglob("*.py")):
            module = file.relative_to(CHECKOUT)
            waiting["/".join(module.parts[:-1][:2])].append(module)
    strata = [name for name in waiting if name.startswith(only)]
    for name in strata:
        draw.shuffle(waiting[name])
    while strata:
        for name in tuple(strata):
            possible: list[Change] = []
            while waiting[name] and not possible:
                module = waiting[name].pop()
                possible = changes((CHECKOUT / module).read_bytes())
                if possible:
                    yield name, module, draw.choice(possible)
            if not possible:
                strata.remove(name)


_sound: dict[tuple[str, ...], float | None] = {}


def _try(tree: Tree, module: Path, change: Change) -> Verdict | None:
    """What its tests say of a change; None when they cannot say: they fail, or take long, without it."""
    tests = files_that_name(module)
    if tuple(tests) not in _sound:
        began = time.monotonic()
        fails = tree.fails(tests, 60 * _SLOWEST_MINUTES)
        _sound[tuple(tests)] = time.monotonic() - began if fails is False else None
    seconds = _sound[tuple(tests)]
    if seconds is None:
        _say(f"left out: {module}: its tests fail, or do not end, without a change: {' '.join(tests[:3])}")
        return None
    file = tree.root / module
    source = file.read_bytes()
    file.write_bytes(change.applied(source))
    try:
        fails = tree.fails(tests, 60 + 5 * seconds)
    finally:
        file.write_bytes(source)
    return "timed out" if fails is None else "killed" if fails else "survived"


def _judged(verdicts: dict[str, Counter[Verdict]]) -> int:
    total: Counter[Verdict] = Counter()
    code = 0
    for stratum, counts in sorted(verdicts.items()):
        total.update(counts)
        if counts["survived"] > (1 - _GOAL_OF_ONE) * counts.total():
            code = 1
        _say(f"{stratum:32} {counts['killed']:4} killed {counts['survived']:4} survived")
    if not total:
        _say("Nothing was tried.")
        return 3
    noticed = total.total() - total["survived"]
    _say(
        f"{noticed} of {total.total()} were noticed, {total['timed out']} of them by a test that did not end."
    )
    return 1 if noticed < _GOAL * total.total() else code


def _one_line(text: str) -> str:
    return " ".join(text.split())[:150]


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", metavar="PACKAGE")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
