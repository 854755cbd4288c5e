"""PURE: what the firewall says (an event or its ``--json`` report), as the pane and its symptom show it.

The two share their members. They are read leniently and without the event models, so that
``distill status`` starts fast and an alarm is never lost to a member that a newer firewall added.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import (
    Answer,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    Verdict,
)
from pipeline.platform.firewall import Answer as FirewallAnswer
from pipeline.platform.firewall import Unknown, read_report, stated
from pipeline.platform.lenient_json import Json, count_of, object_of, objects_of, record_of, text_of

FINDINGS_SHOWN = 100
_FILES_NAMED = 4
_EXPORTS = frozenset(map(str, paths.EXPORT_FILES.values()))
# As the firewall says it.
NO_SUCH_FILE = "there is no such file"


def firewall_status(said: Json, heard_at: float) -> FirewallStatus:
    """The status at ``heard_at``. A word that is not known, or that its numbers contradict, is UNKNOWN.

    The age counts from when it was said, so that a backlog in a pipe does not read as news.
    """
    report = read_report(said)
    said_at = epoch_seconds(said.get("at"))
    by_wall, by_file = object_of(said, "by_wall"), object_of(said, "by_file")
    reasons = object_of(said, "not_evaluated")
    return record_of(
        FirewallStatus,
        said,
        state=FirewallWord(stated(said)),
        origin=Origin("live", heard_at if said_at is None else min(said_at, heard_at), Freshness.FRESH),
        findings_count=report.findings_count,
        forbidden_rows=report.forbidden_rows,
        forbidden_files=report.forbidden_files,
        by_wall=tuple(sorted((wall, count_of(by_wall, wall) or 0) for wall in map(str, by_wall))),
        by_file=tuple(sorted((file, count_of(by_file, file) or 0) for file in map(str, by_file))),
        more_files=report.more_files,
        findings=tuple(
            record_of(Finding, each, file=text_of(each, "file") or "")
            for each in objects_of(said, "findings")[:FINDINGS_SHOWN]
        ),
        since=epoch_seconds(said.get("since")),
        not_evaluated=tuple((wall, text_of(reasons, wall) or "") for wall in map(str, reasons)),
    )


def status_of(answer: FirewallAnswer, heard_at: float) -> FirewallStatus:
    """What an answer of the firewall amounts to; no answer is UNKNOWN, and its age is not known."""
    seen = replace(firewall_status(answer.report.said, heard_at), state=FirewallWord(answer.state))
    if not isinstance(answer, Unknown):
        return seen
    return replace(
        seen, origin=Origin("live", None, Freshness.UNKNOWN, answer.why), detail=answer.why, findings=()
    )


def leak_answer(firewall: FirewallStatus, now: float, *, ever_made: bool) -> Answer | None:
    """The firewall's word as the answer to its symptom; None for what a receipt of the past says.

    ``ever_made``: an export was made here once, so that there being none is worth a question.
    """
    origin = firewall.origin
    if firewall.state is FirewallWord.BREACH:
        return Answer(Verdict.DETECTED, leak_in_words(firewall), origin.as_of, since=firewall.since)
    if firewall.state is FirewallWord.CLEAR and origin.source == "live":
        read = f"CLEAR: {plural(firewall.rows_read, 'row')} of {paths.SFT_EXPORT}"
        return Answer(Verdict.CLEAR, "; ".join((read, *firewall.said_of_walls)), origin.as_of)
    if firewall.state is FirewallWord.ABSENT:
        detail = firewall.detail or NO_SUCH_FILE
        said = f"ABSENT: {f'there is no {paths.SFT_EXPORT}' if detail == NO_SUCH_FILE else detail}"
        return Answer(Verdict.UNKNOWN, said, now, nothing_yet=not ever_made, contained=ever_made)
    if firewall.state is FirewallWord.UNKNOWN:
        return Answer(Verdict.UNKNOWN, f"UNKNOWN: {origin.why or firewall.detail or 'no answer'}", now)
    return None


def leak_in_words(firewall: FirewallStatus) -> str:
    """What an alarm is about, with the files; one whose counts were lost is still one."""
    if not firewall.elsewhere:
        return f"{firewall.found} of {firewall.rows_read:,} in {paths.SFT_EXPORT}"
    files = sorted((file for file, _ in firewall.by_file), key=lambda file: file not in _EXPORTS)
    more = (
        len(files) - _FILES_NAMED + firewall.more_files if len(files) > _FILES_NAMED else firewall.more_files
    )
    rest = f" and {more:,} more file{'' if more == 1 else 's'}" if more else ""
    return f"{firewall.found} in {' and '.join(files[:_FILES_NAMED])}{rest}"
