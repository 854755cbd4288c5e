"""A report of checks as a detector reads it: each check as it was told, and what several say together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.status import Answer, Verdict, epoch_seconds
from pipeline.platform.lenient_json import objects_of

AUDIT = str(paths.AUDIT_REPORT.with_suffix(".json"))
ACCEPTANCE = str(paths.ACCEPTANCE_REPORT.with_suffix(".json"))


@dataclass(frozen=True)
class SeenCheck:
    """One check as it was last told. ``as_of`` is seconds since the epoch; ``source`` is the
    report's path, or the command that was run just now."""

    id: str
    phase: str
    required: bool
    status: str
    detail: str
    observed: str
    examples: tuple[str, ...]
    as_of: float | None
    source: str

    @property
    def is_red(self) -> bool:
        return self.status == "fail"

    @property
    def is_blind(self) -> bool:
        return self.status in ("error", "not_evaluated")


@dataclass(frozen=True)
class CheckReport:
    """A report of checks. ``raw`` is all of it, for what only one symptom reads."""

    checks: dict[str, SeenCheck]
    finished_at: float | None
    source: str
    raw: Mapping[str, Any] = field(default_factory=dict)

    def red(self, ids: Iterable[str]) -> list[str]:
        return [each for each in ids if each in self.checks and self.checks[each].is_red]

    def with_checks(self, asked: Mapping[str, SeenCheck]) -> CheckReport:
        """The report with some checks as they were asked anew."""
        return replace(self, checks={**self.checks, **asked})

    def seen(self, ids: Iterable[str]) -> dict[str, SeenCheck]:
        return {each: self.checks[each] for each in ids if each in self.checks}


def check_report(raw: Mapping[str, Any] | None, source: str) -> CheckReport | None:
    """None for what is no report of checks."""
    if raw is None or not isinstance(raw.get("checks"), list):
        return None
    finished = epoch_seconds(raw.get("finished_at"))
    return CheckReport(checks_of(raw, finished, source), finished, source, raw)


def checks_of(raw: Mapping[str, Any], as_of: float | None, source: str) -> dict[str, SeenCheck]:
    found = (_seen(row, as_of, source) for row in objects_of(raw, "checks"))
    return {each.id: each for each in found}


def _seen(row: Mapping[str, Any], as_of: float | None, source: str) -> SeenCheck:
    listed = row.get("examples")
    examples = tuple(_example(each) for each in listed) if isinstance(listed, list) else ()
    words = {name: str(row.get(name) or "") for name in ("id", "phase", "status", "detail", "observed")}
    return SeenCheck(
        words["id"],
        words["phase"],
        row.get("required") is True,
        words["status"],
        words["detail"],
        words["observed"],
        examples,
        as_of,
        source,
    )


def _example(example: object) -> str:
    if not isinstance(example, dict):
        return str(example)
    place = ":".join(str(example[name]) for name in ("file", "line") if example.get(name) is not None)
    rest = [str(value) for name, value in example.items() if name not in ("file", "line") and value]
    return " ".join([place, *rest]).strip()


def told(seen: Iterable[SeenCheck]) -> str:
    return "; ".join(f"{each.id}: {each.detail}" for each in seen)


def answer_of_report(checks: Sequence[str], report: CheckReport | None) -> Answer:
    """What the last audit says of ``checks``; without one there is nothing to know yet."""
    if report is None:
        return Answer(Verdict.UNKNOWN, "there is no audit to read it from", None, AUDIT, nothing_yet=True)
    return answer_of_checks(checks, report.seen(checks))


def answer_of_checks(checks: Sequence[str], seen: Mapping[str, SeenCheck]) -> Answer:
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
