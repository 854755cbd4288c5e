"""The facts as one HTML page: no script, no outside address, every text escaped by the template engine."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from console.presentation.counts import count, measured
from console.presentation.states import CHECKS, DRIFT, FIREWALL, PHASES, SEVERITIES
from console.report.facts import Metric, ReportFacts
from console.report.plots import HEIGHT, WIDTH, Plot, bar, plot
from console.state.detectors import definitions
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.row_counts import StreamCounts
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, took_in_words
from pipeline.reading.symptom_answers import tally

TEXT_CHARACTERS = 2000
_MIX = ("accepted", "partially_accepted", "needs_human_review", "rejected")


def page(facts: ReportFacts) -> str:
    """The whole document."""
    from jinja2 import Environment, StrictUndefined

    def shown(value: Any) -> Any:
        """Hidden characters as escapes, before the engine escapes what is markup."""
        # What has been escaped already, a macro's words, says so.
        if isinstance(value, str) and not hasattr(value, "__html__"):
            return visible(value, TEXT_CHARACTERS)
        return "-" if value is None else value

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    now = facts.status.read_at
    environment.filters.update(
        count=count, number=measured, percent=_percent, took=took_in_words, role=_role, plain=_plain
    )
    environment.globals.update(
        plot=_plot,
        tally=tally(definitions(), facts.status.answers, now),
        mix=_mix,
        iso=lambda moment: iso_utc(moment) or "-",
        minute=lambda moment: (iso_utc(moment) or "-")[:16].replace("T", " ") + " UTC",
        ago=lambda moment: age_in_words(age_of(moment, now)),
        width=WIDTH,
        height=HEIGHT,
        mix_names=_MIX,
        looks={
            "phase": PHASES,
            "firewall": FIREWALL,
            "severity": SEVERITIES,
            "check": CHECKS,
            "drift": DRIFT,
        },
    )
    source = files("console.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(facts=facts, status=facts.status)


def _role(state: str, kind: str) -> str:
    """The class of a state: ok, warn, fail, accent or dim; what no face knows is dim."""
    looks: dict[str, dict[Any, Any]] = {
        "phase": dict(PHASES),
        "firewall": dict(FIREWALL),
        "severity": dict(SEVERITIES),
        "check": dict(CHECKS),
        "drift": dict(DRIFT),
    }
    look = looks[kind].get(state)
    return "dim" if look is None or look.role in ("text", "strong") else str(look.role)


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _plot(metric: Metric) -> Plot:
    return plot([point.value for point in metric.points], metric.line.baseline)


def _mix(stream: StreamCounts) -> Any:
    return bar([(name, getattr(stream, name)) for name in _MIX])
