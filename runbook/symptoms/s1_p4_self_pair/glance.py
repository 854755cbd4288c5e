"""What the last audit says of the exports, but for what was moved aside since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.symptoms import LEAK
from pipeline.reading.check_report import AUDIT, Check, answer_of_checks, answer_of_report
from pipeline.reading.facts import Facts
from pipeline.reading.latest_run import is_quarantined
from runbook.symptoms.by_report import as_old
from runbook.symptoms.s1_p4_self_pair import CHECKS
from runbook.symptoms.s1_p4_sft_leak import SFT

_PLACE = re.compile(r"(exports/\S+?)(?::\d+)?(?: |$)")


def glance(facts: Facts) -> Answer:
    report = facts.audit
    if report is None:
        return facts.cannot_read(AUDIT) or answer_of_report(CHECKS, None)
    return as_old(answer_of(facts.root, report.seen(CHECKS)), facts)


def answer_of(root: Path, seen: dict[str, Check]) -> Answer:
    """What is missing because it was quarantined is contained, though not repaired."""
    answer = answer_of_checks(CHECKS, seen)
    files = places_in(line for each in seen.values() if each.is_red for line in each.example_lines)
    aside = bool(files) and all(not (root / path).exists() and is_quarantined(root / path) for path in files)
    if answer.is_detected and aside:
        said = f"{', '.join(files)}: quarantined; export again: distill export"
        return replace(answer, verdict=Verdict.UNKNOWN, observed=said, contained=True)
    # Whoever put a forbidden row into the SFT export may have broken the rest of it as well.
    return replace(answer, explained_by=(LEAK,)) if files == [SFT] else answer


def places_in(lines: Iterable[str]) -> list[str]:
    """The exports that examples of a check name."""
    return list(dict.fromkeys(match[1] for line in lines if (match := _PLACE.match(line))))
