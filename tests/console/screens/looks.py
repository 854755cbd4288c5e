"""What an SVG picture of a screen says, line by line: the same screen for a person, without its colours."""

from __future__ import annotations

import html
import re

from console.presentation.spans import cell_width

# The look of colours is kept for these; how everything else looks is kept as text.
IN_COLOUR = frozenset(
    (
        "test_the_dashboard_looks_as_before[breach-120x40-rich]",
        "test_the_dashboard_looks_as_before[breach-80x24-lean]",
        "test_the_dashboard_looks_as_before[breach-80x24-ascii]",
        "test_the_dashboard_looks_as_before[breach-40x10-lean]",
        "test_the_dashboard_looks_as_before[healthy-120x40-rich]",
        "test_the_dashboard_looks_as_before[warn-120x40-light]",
        "test_the_dashboard_looks_as_before[warn-80x24-lean]",
        "test_the_dashboard_looks_as_before[running-120x40-rich]",
        "test_the_dashboard_looks_as_before[stale-120x40-rich]",
        "test_the_dashboard_looks_as_before[unknown-120x40-rich]",
        "test_the_dashboard_looks_as_before[denied-120x40-rich]",
        "test_the_question_before_a_run_looks_as_before",
        "test_a_failed_audit_looks_as_before[120x40]",
        "test_the_runbook_looks_as_before[120x40-detected]",
        "test_the_page_of_a_symptom_looks_as_before[120x40]",
        "test_the_incidents_look_as_before[120x40]",
        "test_a_replay_looks_as_before[plan-200x60]",
        "test_a_critical_question_looks_as_before[half]",
        "test_a_step_of_the_wizard_looks_as_before[consent-80x24]",
        "test_a_step_of_the_wizard_looks_as_before[plan-120x40]",
    )
)
MOST_IN_COLOUR = 20
_CELL = 12.2
_TEXT = re.compile(r'<text [^>]*?x="([\d.]+)"[^>]*?clip-path="url\(#[^)]*-line-(\d+)\)"[^>]*>(.*?)</text>')


def text_of(svg: str) -> str:
    rows: dict[int, str] = {}
    for x, line, text in _TEXT.findall(svg):
        before = rows.get(int(line), "")
        gap = " " * (round(float(x) / _CELL) - cell_width(before))
        rows[int(line)] = before + gap + html.unescape(text).replace("\xa0", " ")
    return "\n".join(rows.get(number, "").rstrip() for number in range(max(rows, default=0) + 1)).rstrip()
