"""What the last audit says of the replay. A model that gives no answer is as red as a refused one."""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import by_checks
from runbook.symptoms.s1_p7_replay.define import CHECK

_SILENT_WORDS = "gave no answer"
_by_report = by_checks((CHECK,))


def glance(facts: Facts) -> Answer:
    return silence_rings(_by_report(facts))


def is_silent(answer: Answer) -> bool:
    return answer.verdict is Verdict.UNKNOWN and _SILENT_WORDS in answer.observed


def silence_rings(answer: Answer) -> Answer:
    return replace(answer, verdict=Verdict.DETECTED) if is_silent(answer) else answer
