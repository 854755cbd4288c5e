"""What was tried: a line of JSON a trial, so that one that was cut off goes on; and the table of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """``what`` was done to the command at its ``number``. An empty ``operation``: it did not come to it."""

    subject: str
    what: str
    number: int
    operation: str
    wrong: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        return self.subject, self.what, self.number


class Record:
    """The results so far in ``path``, which names its seed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results = list(self._known())
        self.done = {result.key for result in self.results}

    def _known(self) -> Iterator[Result]:
        if not self._path.exists():
            return
        for line in self._path.read_text().splitlines():
            try:
                data = json.loads(line)
            except ValueError:  # cut off in the middle of a line
                continue
            yield Result(**{**data, "wrong": tuple(data["wrong"])})

    def plan(self, points: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
        """Remember how many points there are, beside the results; all that were ever planned."""
        place = self._path.with_suffix(".planned.json")
        known = json.loads(place.read_text()) if place.exists() else []
        planned: Counter[tuple[str, str]] = Counter()
        planned.update({(subject, what): count for subject, what, count in known})
        planned |= points
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps([[*key, count] for key, count in planned.items()]))
        return planned

    def add(self, result: Result) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        self.results.append(result)
        self.done.add(result.key)


def table(results: Iterable[Result], planned: Counter[tuple[str, str]]) -> list[str]:
    """Markdown: what was done to which command, how often of how many, and what it broke."""
    rows: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        rows[result.subject, result.what].append(result)
    lines = ["| command | what was done | points | tried | broke a promise |", "|---|---|---:|---:|---:|"]
    for key, of_all in planned.items():
        tried = [result for result in rows.get(key, []) if result.operation]
        wrong = sum(1 for result in tried if result.wrong)
        lines.append(f"| `{key[0]}` | {key[1]} | {of_all:,} | {len(tried):,} | {wrong:,} |")
    return lines


def broken(results: Iterable[Result]) -> list[str]:
    """A line for each promise that was broken, with the first trial that did and how many did."""
    found: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        for wrong in result.wrong:
            found[result.subject, wrong].append(result)
    return [
        f"{subject}: {wrong} ({len(several)} trials; the first: {several[0].what}, "
        f"number {several[0].number}: {several[0].operation})"
        for (subject, wrong), several in found.items()
    ]
