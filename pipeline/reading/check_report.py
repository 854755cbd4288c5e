"""A report of checks: each check as it was told, and what several say together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import Json, objects_of, record_of

AUDIT = str(paths.AUDIT_DATA)
ACCEPTANCE = str(paths.ACCEPTANCE_DATA)


MOST_EXAMPLES = 20
# A word that nobody knows says no more than none.
_EVALUATED = frozenset(("pass", "warn", "info", "fail"))


@dataclass(frozen=True, slots=True)
class Example:
    """One place where a check failed. All of it is data."""

    file: str = ""
    line: int | None = None
    run_id: str = ""
    text: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return " ".join(part for part in (place, self.run_id, self.text) if part)


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it was last told. ``as_of`` is seconds since the epoch; ``source`` is the report's
    path, or the command that was run just now. ``pending``: a running command will replace it."""

    id: str
    phase: str
    status: str
    required: bool = True
    examined: int | None = None
    failed: int | None = None
    threshold: str = ""
    observed: str = ""
    detail: str = ""
    examples: tuple[Example, ...] = ()
    reproduce: str = ""
    elapsed_seconds: float | None = None
    as_of: float | None = None
    source: str = ""
    pending: bool = False

    @property
    def is_red(self) -> bool:
        return self.status == "fail"

    @property
    def is_blind(self) -> bool:
        return self.status not in _EVALUATED

    @property
    def is_bad(self) -> bool:
        return not self.pending and (self.is_red or self.is_blind)

    @property
    def example_lines(self) -> tuple[str, ...]:
        return tuple(map(str, self.examples))


@dataclass(frozen=True)
class CheckReport:
    """A report of checks. ``raw`` is all of it, for what only one symptom reads."""

    checks: dict[str, Check]
    finished_at: float | None
    source: str
    raw: Mapping[str, Any] = field(default_factory=dict)

    def red(self, ids: Iterable[str]) -> list[str]:
        return [each for each in ids if each in self.checks and self.checks[each].is_red]

    def with_checks(self, asked: Mapping[str, Check]) -> CheckReport:
        """The report with some checks as they were asked anew."""
        return replace(self, checks={**self.checks, **asked})

    def seen(self, ids: Iterable[str]) -> dict[str, Check]:
        return {each: self.checks[each] for each in ids if each in self.checks}


def check_report(raw: Mapping[str, Any] | None, source: str) -> CheckReport | None:
    """None for what is no report of checks; one that holds none examined nothing."""
    if raw is None or not objects_of(raw, "checks"):
        return None
    finished = epoch_seconds(raw.get("finished_at"))
    return CheckReport(checks_of(raw, finished, source), finished, source, raw)


def checks_of(raw: Mapping[str, Any], as_of: float | None, source: str) -> dict[str, Check]:
    found = (read_check(row, as_of, source) for row in objects_of(raw, "checks"))
    return {each.id: each for each in found}


def read_check(row: Json, as_of: float | None, source: str) -> Check:
    """One check of a report or of an event. What it does not say is required is."""
    examples = tuple(record_of(Example, each) for each in objects_of(row, "examples")[:MOST_EXAMPLES])
    return record_of(Check, row, examples=examples, as_of=as_of, source=source, pending=False)


def told(seen: Iterable[Check]) -> str:
    return "; ".join(f"{each.id}: {each.detail}" for each in seen)


def answer_of_report(checks: Sequence[str], report: CheckReport | None) -> Answer:
    """What the last audit says of ``checks``; without one there is nothing to know yet."""
    if report is None:
        return Answer(Verdict.UNKNOWN, "no audit has run yet", None, AUDIT, nothing_yet=True)
    return answer_of_checks(checks, report.seen(checks))


def answer_of_checks(checks: Sequence[str], seen: Mapping[str, Check]) -> Answer:
    """Red where one check fails; not known where none fails and one could not look."""
    red = [each for each in seen.values() if each.is_red]
    blind = [each for each in seen.values() if each.is_blind]
    if red:
        verdict, observed = Verdict.DETECTED, told(red)
    elif blind or not seen:
        said = "; ".join(f"{each.id} {each.status}: {each.detail}" for each in blind)
        verdict, observed = Verdict.UNKNOWN, said or f"{', '.join(checks)}: not in the last audit"
    else:
        verdict, observed = Verdict.CLEAR, f"{', '.join(seen)}: pass"
    speaking = red or blind or list(seen.values())
    ages = [each.as_of for each in speaking if each.as_of is not None]
    source = speaking[0].source if speaking else AUDIT
    return Answer(verdict, observed, min(ages) if ages else None, source)
