"""PURE: what the plain console says: its menu, and the dashboard's panes as lines of text.

Panes, words and marks are those of the screen; only the frame and the cursor are missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console import keymap
from console.plain.status import PANES, WIDTH, pane_lines, texts
from console.presentation.band import band_height, band_lines, head_words
from console.presentation.consent import command_consent, told_lines
from console.presentation.edge_lines import header_line, status_line
from console.presentation.event_log import log_line, no_entries
from console.presentation.spans import Line
from console.presentation.symptom_page import page_lines as symptom_page_lines
from pipeline.platform.code_question import code_question

if TYPE_CHECKING:
    from console.control.feed import CommandPlan
    from console.state.view_state import ViewState

LOG_LINES = 30
_TALL = 200
_SHAPES = str.maketrans("", "", "▁▂▃▄▅▆▇█░")


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the menu. ``action_id`` names an entry of the key map, where there is one."""

    number: int
    name: str
    help: str
    action_id: str = ""


def _choices() -> tuple[Choice, ...]:
    looks = (
        ("all", "Everything below, once."),
        ("symptoms", "What is wrong now, and what to do by hand."),
        ("firewall", "The firewall's state."),
        ("rows", "Row counts."),
        ("phases", "Phases P0 to P9."),
        ("drift", "Drift against the baseline."),
        ("runs", "Past runs."),
        ("log", f"The last {LOG_LINES} log lines."),
        ("help", "This list, and what the marks mean."),
        ("runbook", "Every symptom, and the page of each."),
        ("incidents", "What was done and why; each replayed step by step."),
        ("audit", "Every check, failing ones first, with the command that runs it again."),
        ("skips", "Why source lines were left out, with examples."),
        ("release", "The six gates of release-freeze, and the tag command."),
    )
    acts = [
        Choice(0, action.id, action.help, action.id) for action in (keymap.BY_ID["arm"], *keymap.MUTATING)
    ]
    wizards = "The wizards: a symptom that shows, or an incident that is still open."
    acts = [
        replace(act, name="wizard", help=wizards) if act.action_id == keymap.WIZARD_ANSWER else act
        for act in acts
    ]
    menu = [Choice(number, name, words) for number, (name, words) in enumerate(looks, start=1)]
    menu += [replace(act, number=number) for number, act in enumerate(acts, start=len(menu) + 1)]
    return (*menu, Choice(0, "quit", keymap.BY_ID["quit"].help))


CHOICES = _choices()


def choice_for(typed: str) -> Choice | None:
    """The choice that a number or a name means; ``q`` quits, ``?`` helps."""
    word = {"q": "quit", "?": "help"}.get(typed.strip().casefold(), typed.strip().casefold())
    return next(
        (choice for choice in CHOICES if word in (str(choice.number), choice.name, choice.action_id or None)),
        None,
    )


def menu_lines() -> list[str]:
    return [f" {choice.number:>2}  {choice.name:<17} {choice.help}" for choice in CHOICES]


def head_lines(state: ViewState, now: float) -> list[str]:
    """Where we are, what is wrong, who may do what."""
    return texts([header_line(state, now, WIDTH), *_band(state, now), status_line(state, now, WIDTH)])


def _band(state: ViewState, now: float) -> list[Line]:
    height = band_height(state.symptoms, _TALL, WIDTH)
    return band_lines(state.symptoms, -1, now, WIDTH, height, state.heard_at, state.trouble, state.tally)


def _spoken(text: str) -> str:
    """Without bars and trends: who listens hears each block by its name, and the numbers say the same."""
    return text.translate(_SHAPES).rstrip().removesuffix("  trend")


def page_lines(name: str, state: ViewState, now: float) -> list[str]:
    """What a choice of the menu shows."""
    if name == "log":
        said = [log_line(entry, WIDTH) for entry in state.log[-LOG_LINES:]]
        return ["LOG", *texts(said or [no_entries(state.trouble)])]
    if name in PANES:
        shown = pane_lines(name, state, now, was_read=state.heard_at is not None, runs=len(state.runs))
        return [*map(_spoken, shown)]
    return symptom_pages(state, now)


def symptom_pages(state: ViewState, now: float) -> list[str]:
    """Every symptom's page, worst first."""
    if not state.symptoms:
        return [head_words(0, state.tally, now)]
    lines: list[str] = []
    for symptom in state.symptoms:
        lines += symptom_page(symptom.id, state, now)
    return lines


def symptom_page(symptom_id: str, state: ViewState, now: float) -> list[str]:
    """One symptom's page, whether it shows or not."""
    shown = next((each for each in state.symptoms if each.id == symptom_id), None)
    return texts(
        symptom_page_lines(shown, symptom_id, state.runbook, state.firewall, state.workspace, now, WIDTH)
    )


def all_lines(state: ViewState, now: float) -> list[str]:
    lines = head_lines(state, now)
    for name in ("firewall", "phases", "rows", "drift"):
        lines += ["", *page_lines(name, state, now)]
    return lines


def question_lines(plan: CommandPlan) -> list[str]:
    """The plan and what has to be typed: a part of its own digest, so that no habit answers it."""
    told = texts(told_lines(command_consent(plan), WIDTH))
    return [*told, "", f" {code_question(plan.code, plan.yes, plan.no)}"]
