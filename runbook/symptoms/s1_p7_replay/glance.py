"""What the last audit says of the replay, and a replay that was logged since and refused.

A model that gives no answer is as red as a refused one.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import flag_of, object_of, objects_of, texts_of
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import as_old, by_checks
from runbook.symptoms.s1_p7_replay import CHECK

LOG = str(paths.REPLAY_RUNS)
_SILENT_WORDS = "gave no answer"
_by_report = by_checks((CHECK,))


def glance(facts: Facts) -> Answer:
    audited = silence_rings(_by_report(facts))
    if audited.is_detected:
        return audited
    logged = facts.cannot_read(LOG) or _refused(facts)
    if logged is None or (
        audited.verdict is Verdict.CLEAR and (audited.as_of or 0.0) >= (logged.as_of or 0.0)
    ):
        return audited
    return as_old(logged, facts) if logged.is_detected else logged


def _refused(facts: Facts) -> Answer | None:
    """The last replay of the log, where its answer was refused."""
    last = facts.replays[-1] if facts.replays else {}
    verdict = object_of(last, "validation_result")
    if flag_of(verdict, "ok") is not False:
        return None
    reasons, found = (
        ", ".join(texts_of(verdict, "reasons")) or "no reason told",
        len(objects_of(last, "retrieved")),
    )
    observed = visible(f"the last replay was refused ({reasons}), with {plural(found, 'playbook')}", 300)
    return Answer(Verdict.DETECTED, observed, epoch_seconds(last.get("recorded_at")), LOG)


def is_silent(answer: Answer) -> bool:
    return answer.verdict is Verdict.UNKNOWN and _SILENT_WORDS in answer.observed


def silence_rings(answer: Answer) -> Answer:
    return replace(answer, verdict=Verdict.DETECTED) if is_silent(answer) else answer
