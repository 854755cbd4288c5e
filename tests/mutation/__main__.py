"""Change product code a little, see whether the tests of the changed module notice, and put it back.

python -m tests.mutation [--count 120] [--minutes 180] [--seed 20261130] [--only PACKAGE]
                         [--record FILE] [--page docs/mutants.md]

The sample is drawn by the seed, as many from each package as from any other; each change is tried alone, in
a copy of the checkout, with the test files that name its module. What was noticed before, in a module that is
still the same, is not tried again: a run goes on where the last one ended, and asks what survived once more.
``--minutes 0`` only writes down what is known.
Ends with 1 when fewer than nine of ten are noticed, or fewer than four of five in one package; with 3 when
nothing could be tried. What behaves as before is no fault of the tests: ``equivalents.toml`` names it.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutation.changes import Change
from tests.mutation.choice import files_that_name
from tests.mutation.equivalents import equivalents, key_of
from tests.mutation.page import page
from tests.mutation.record import Record, Result, exit_code, table, told
from tests.mutation.sample import sample
from tests.mutation.trial import CHECKOUT, Tree

SEED = 20261130


def main(words: Sequence[str]) -> int:
    options = _options(words)
    record = Record(options.record or CHECKOUT / "out/mutants" / f"{options.seed}.jsonl")
    drawn = [
        (_place(stratum, module, change), change)
        for stratum, module, change in itertools.islice(sample(options.seed, options.only), options.count)
    ]
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder)) if options.minutes else None
        if tree is not None and not tree.imports_itself():
            _say("The copy of the checkout is not what its interpreter imports.")
            return 3
        for place, change in drawn:
            known = record.of(place)
            if tree is None or time.monotonic() > until or _is_equivalent(place, change):
                continue
            if known is None or known.verdict != "killed":
                outcome = tree.tried(Path(place.module), change, files_that_name(Path(place.module)))
                result = replace(place, verdict=outcome.verdict, by=outcome.by)
                record.add(result)
                _say(told(result))
    results = [_known(record, place, change) for place, change in drawn]
    return _tell([each for each in results if each is not None], len(drawn), options)


def _tell(results: Sequence[Result], drawn: int, options: argparse.Namespace) -> int:
    for line in table(results):
        _say(line)
    for each in results:
        if each.verdict != "killed":
            _say(told(each))
    if options.page:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        Path(options.page).write_text(page(results, drawn, options.seed, day), encoding="utf-8")
    return exit_code(results)


def _place(stratum: str, module: Path, change: Change) -> Result:
    digest = hashlib.sha256((CHECKOUT / module).read_bytes()).hexdigest()
    return Result(stratum, str(module), digest, change.line, change.kind, change.before, change.after)


def _known(record: Record, place: Result, change: Change) -> Result | None:
    """What is known of a change; None when it was not come to."""
    why = equivalents().get(key_of(Path(place.module), change))
    return record.of(place) if why is None else replace(place, verdict="equivalent", by=why)


def _is_equivalent(place: Result, change: Change) -> bool:
    return key_of(Path(place.module), change) in equivalents()


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", metavar="PACKAGE")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--page", type=Path)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
