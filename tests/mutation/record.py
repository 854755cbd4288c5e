"""What was tried: a line of JSON a change, so that a run that was cut off goes on; and the table of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation.equivalents import one_line

GOAL, GOAL_OF_ONE = 0.9, 0.8
_VERDICTS = ("equivalent", "killed", "survived", "unclear")


@dataclass(frozen=True)
class Result:
    """One change of a module, whose text had ``digest``, and what became of it. ``by``: who noticed."""

    stratum: str
    module: str
    digest: str
    line: int
    kind: str
    before: str
    after: str
    verdict: str = ""
    by: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.module, self.digest, self.kind, self.before, self.after, str(self.line)


class Record:
    """The results so far in ``path``. The last one of a change is what counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results: dict[tuple[str, ...], Result] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                result = Result(**json.loads(line))
            except ValueError:  # cut off in the middle of a line
                continue
            self._results[result.key] = result

    def of(self, result: Result) -> Result | None:
        """What was found of the same change of the same text."""
        return self._results.get(result.key)

    def add(self, result: Result) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")
        self._results[result.key] = result


def counted(results: Iterable[Result]) -> dict[str, Counter[str]]:
    """Verdicts by package."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        found[result.stratum][result.verdict] += 1
    return dict(sorted(found.items()))


def exit_code(results: Sequence[Result]) -> int:
    """3 when nothing could be told; 1 when too little was noticed, in all or in one package."""
    verdicts = counted(results)
    total = sum(verdicts.values(), Counter[str]())
    if not total["killed"] + total["survived"]:
        return 3
    too_few = [counts for counts in verdicts.values() if _noticed(counts) < GOAL_OF_ONE]
    return 1 if too_few or _noticed(total) < GOAL else 0


def _noticed(counts: Counter[str]) -> float:
    told = counts["killed"] + counts["survived"]
    return counts["killed"] / told if told else 1.0


def table(results: Sequence[Result]) -> list[str]:
    """Markdown: what became of the changes in each package, and in all."""
    verdicts = counted(results)
    rows = [*verdicts.items(), ("*all*", sum(verdicts.values(), Counter[str]()))]
    lines = [
        "| package | changes | equivalent | noticed | not noticed | unclear |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, counts in rows:
        shown = name if name == "*all*" else f"`{name}`"
        lines.append(
            f"| {shown} | {counts.total()} | " + " | ".join(str(counts[each]) for each in _VERDICTS) + " |"
        )
    return lines


def told(result: Result) -> str:
    """One change on a line."""
    before, after = one_line(result.before)[:150], one_line(result.after)[:150]
    shown = f"{result.module}:{result.line} {result.kind}: {before} → {after}"
    return f"{result.verdict}: {shown}" + (
        f" ({result.by})" if result.verdict == "unclear" and result.by else ""
    )
