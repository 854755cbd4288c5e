"""PURE: the facts as lines of text: the status, then checks, drift over time and incidents step by step."""

from __future__ import annotations

from collections.abc import Iterator

from console.plain.status import status_lines
from console.presentation.counts import sparkline
from console.reading.check_runs import CheckRun
from console.report.facts import IncidentStory, Metric, ReportFacts
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.untrusted import visible

CHARACTERS = 200
POINTS = 24


def lines(facts: ReportFacts) -> Iterator[str]:
    yield from status_lines(facts.status)
    for run in (facts.audit, facts.acceptance):
        yield ""
        yield visible(f"{run.command.upper()}  {run.verdict or run.trouble or run.word}", CHARACTERS)
        yield from _checks(run)
    yield ""
    yield f"DRIFT OVER TIME  {len(facts.metrics) or 'nothing was measured yet'}"
    yield from map(_metric, facts.metrics)
    yield ""
    none = f"unknown: {visible(facts.incidents_unread)}" if facts.incidents_unread else "none"
    yield f"INCIDENTS  {len(facts.incidents) + facts.incidents_left_out or none}"
    for story in facts.incidents:
        yield from _story(story)


def _checks(run: CheckRun) -> Iterator[str]:
    for check in sorted(run.checks, key=lambda each: not each.is_red):
        yield visible(f" {check.status:<14} {check.id:<24} {check.observed or check.detail}", CHARACTERS)


def _metric(metric: Metric) -> str:
    shape = sparkline([point.value for point in metric.points], POINTS)
    return visible(f" {metric.line.status:<8} {metric.line.metric:<44} {shape}", CHARACTERS)


def _story(story: IncidentStory) -> Iterator[str]:
    glance = story.glance
    yield visible(f" {glance.state:<12} {glance.id}  {glance.title or glance.symptom}", CHARACTERS)
    if story.trouble:
        yield visible(f"   ! {story.trouble}", CHARACTERS)
    for step in story.steps:
        at = "" if step.at is None else iso_utc(step.at) or ""
        yield visible(f"   {at:<20} {step.actor or '?'}  {step.said}", CHARACTERS)
