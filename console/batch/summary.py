"""PURE: the report as a page of Markdown, for a job's summary: causes, what follows from them, the rest.

Bounded, because a forge drops a summary that is too large as a whole. Texts quote data, so that
all of them are made visible and what Markdown or HTML would read as markup is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from console.batch.causes import Cause, causes
from console.batch.outcome import BAD_CHECKS, BatchOutcome, PartOutcome, verdict_line
from console.batch.parts import Part
from console.presentation.counts import measured
from pipeline.contracts.checks import CheckResult, DriftRow, DriftStatus
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import took_in_words

# GitHub takes 1 MiB for all summaries of a step.
MAX_BYTES = 900_000
_MARKUP = re.compile(r"([\\`*\[\]<>|#~!&_])")


def summary(batch: BatchOutcome, *, max_bytes: int = MAX_BYTES) -> str:
    """The page. What does not fit is counted, and ``report.json`` has it."""
    head = ["# distill --batch", "", f"**{text(verdict_line(batch))}**", "", *_parts(batch.parts)]
    checks = [check for part in batch.parts for check in part.checks]
    drift = [row for part in batch.parts for row in part.drift]
    # Of a first run every metric is new: that is nothing to look at before the checks.
    moved = any(row.status not in (DriftStatus.NEW, DriftStatus.SAME) for row in drift)
    sections: list[list[str]] = [
        *map(_cause, causes(batch)),
        *(_failed_check(check) for check in checks if check.status in BAD_CHECKS and check.required),
        *_warnings(batch.parts),
        *_symptoms(batch.part(Part.SYMPTOMS)),
        *(_drift(drift) if moved else []),
        *_checks(checks),
        *([] if moved else _drift(drift)),
    ]
    return _bounded(head, sections, max_bytes)


def text(value: str, limit: int = 2000) -> str:
    """``value`` as plain text in Markdown, on one line."""
    return _MARKUP.sub(r"\\\1", visible(value, limit)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _bounded(head: Sequence[str], sections: Sequence[Sequence[str]], max_bytes: int) -> str:
    shown = list(head)
    room = max_bytes - 200 - sum(len(line.encode()) + 1 for line in head)
    left_out = 0
    for section in sections:
        size = sum(len(line.encode()) + 1 for line in section)
        if size > room:
            left_out += 1
            continue
        shown += section
        room -= size
    if left_out:
        shown += ["", f"{plural(left_out, 'more section')} did not fit here; they are in report.json."]
    return "\n".join(shown).rstrip("\n") + "\n"


def _parts(parts: Iterable[PartOutcome]) -> list[str]:
    lines = ["| part | result | took | found |", "|---|---|---:|---|"]
    for part in parts:
        took = took_in_words(part.elapsed_seconds) if part.elapsed_seconds else "-"
        lines.append(f"| {part.part} | {part.word.replace('_', ' ')} | {took} | {text(part.said)} |")
    return [*lines, ""]


def _cause(cause: Cause) -> list[str]:
    trouble = cause.trouble
    lines = [
        f"## {text(trouble.id)}: {text(trouble.word.replace('_', ' '))}",
        "",
        text(trouble.message) or "no detail",
        *(f"- {text(str(place))}" for place in trouble.places),
        *([f"- again: {text(trouble.again)}"] if trouble.again else []),
        "",
    ]
    if cause.consequences:
        lines += ["From it follow:", ""]
        lines += [f"- {text(each.id)} {text(each.word)}: {text(each.message)}" for each in cause.consequences]
        lines.append("")
    return lines


def _failed_check(check: CheckResult) -> list[str]:
    lines = [
        f"### {text(check.id)} · {check.status}",
        "",
        f"- examined {check.examined:,}, failed {check.failed:,}",
        f"- threshold {text(check.threshold or '-')}; observed {text(check.observed or '-')}",
        f"- {text(check.detail) or 'no detail'}",
        f"- reproduce: {text(check.reproduce)}",
    ]
    for example in check.examples:
        place = f"{example.file or ''}{f':{example.line}' if example.line is not None else ''}"
        lines.append(f"  - {text(' '.join(x for x in (place, example.run_id, example.text) if x))}")
    return [*lines, ""]


def _warnings(parts: Iterable[PartOutcome]) -> list[list[str]]:
    found = [f"- {part.part}: {text(warning)}" for part in parts for warning in part.warnings]
    return [["## Warnings", "", *found, ""]] if found else []


def _symptoms(part: PartOutcome | None) -> list[list[str]]:
    if part is None or not part.symptoms:
        return []
    lines = [
        f"- **{text(symptom.severity)}** {text(symptom.id)}: {text(symptom.observed)}"
        + (f" → {text(symptom.next_step)}" if symptom.next_step else "")
        for symptom in part.symptoms
    ]
    return [["## Symptoms", "", *lines, ""]]


def _drift(rows: Sequence[DriftRow]) -> list[list[str]]:
    if not rows:
        return []
    lines = [
        "## Drift",
        "",
        "| metric | baseline | current | Δ % | z | status |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        delta = "" if row.delta_ratio is None else f"{row.delta_ratio:+.1%}"
        z = "" if row.z is None else f"{row.z:.1f}"
        values = f"{measured(row.baseline)} | {measured(row.current)}"
        lines.append(f"| {text(row.metric)} | {values} | {delta} | {z} | {row.status} |")
    return [[*lines, ""]]


def _checks(checks: Sequence[CheckResult]) -> list[list[str]]:
    sections = []
    for phase in dict.fromkeys(check.phase for check in checks):
        lines = [
            f"## {text(phase)}",
            "",
            "| check | status | examined | failed | observed |",
            "|---|---|---:|---:|---|",
        ]
        for check in checks:
            if check.phase == phase:
                name = text(check.id) + ("" if check.required else " (informational)")
                lines.append(
                    f"| {name} | {check.status} | {check.examined:,} | {check.failed:,} "
                    f"| {text(check.observed or '', 200)} |"
                )
        sections.append([*lines, ""])
    return sections
