"""What the palette offers, and how well it fits what was typed.

Besides the actions of a place: all subjects that the console knows of, by their ids and their words. Nothing
here reads the disk, so a palette is there at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console import keymap
from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.state.view_state import ViewState

SYMPTOM, INCIDENT, RUN, FILE = "symptom:", "incident:", "run:", "file:"
"""Kinds of subjects: with its name behind it, the id of an offer."""

# What the palette calls an action; a change that asks first ends in dots.
_NAMES = {
    "wizard.open": "Fix symptom…",
    "symptom.help": "Symptom by hand",
    "symptom.previous": "Previous symptom",
    "symptom.next": "Next symptom",
    "run.start": "Start run-all…",
    "run.cancel": "Cancel the run…",
    "audit.start": "Start audit-full…",
    "acceptance.start": "Start acceptance…",
    "release.start": "Freeze release…",
    "engine.trust": "Trust the workspace's code…",
    "incident.export": "Export incident…",
    "incident.page": "Hand-over page",
    "undo.command": "Copy undo command",
    "copy.command": "Copy command",
    "arm": "Arm or disarm…",
    "save": "Save screen (SVG)",
    "save.text": "Save screen (text)",
    "screen.rows": "Rows (data)",
    "pane.1": "Firewall pane",
    "pane.2": "Row counts pane",
    "pane.3": "Phases pane",
    "pane.4": "Drift pane",
    "pane.5": "Runs pane",
    "pane.6": "Log pane",
}
# What people type for an action that is called something else.
_ALSO = {
    "wizard.open": "fix repair solve",
    "symptom.help": "manual commands",
    "run.start": "run-all pipeline begin",
    "run.cancel": "stop abort kill lock",
    "engine.trust": "engine refused untrusted digest diff git pull",
    "arm": "operate disarm unlock write",
    "quit": "exit leave close",
    "log": "events messages",
    "refresh": "reload reread",
    "undo.command": "revert rollback",
    "screen.audit": "checks report invariants failures",
    "screen.incidents": "undo revert history journal quarantine restore",
    "screen.runbook": "problems fix repair wizard leak",
    "screen.runs": "history receipts hash lock",
    "screen.rows": "data files exports evidence search unread unmapped",
    "screen.skips": "dropped errors malformed left out",
    "screen.release": "freeze gates tag ship",
    "pane.1": "breach leak alarm walls",
    "pane.4": "baseline metrics",
}
_FILES = (
    paths.SFT_EXPORT, paths.RAG_EXPORT, paths.PREFERENCE_EXPORT,
    paths.SFT_QUARANTINE, paths.RAG_QUARANTINE, paths.PREFERENCE_QUARANTINE,
    paths.DISTILLATION_SKIPS, paths.SCORING_SKIPS, paths.REPLAY_RUNS, paths.AUDIT_BASELINES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A row of the palette. ``id`` is an action's, or a subject's with its kind before it."""

    id: str
    name: str
    help: str
    key: str = ""
    mutating: bool = False
    also: str = ""
    short: str = ""
    """What it is called in the key map and in ``distill.toml``: found like the name itself."""

    @property
    def is_subject(self) -> bool:
        return ":" in self.id


def offers(state: ViewState, place: keymap.Place) -> tuple[Offer, ...]:
    """Actions of the place first, in the key map's order, then what there is to open."""
    actions = [of_action(action) for action in keymap.at(place) if action.in_palette]
    return (*actions, *_subjects(state))


def of_action(action: keymap.Action) -> Offer:
    short = action.id.removeprefix("screen.").replace("_", " ").capitalize()
    name, also = _NAMES.get(action.id, short), _ALSO.get(action.id, "")
    return Offer(
        action.id, name, action.help, action.shown_key, action.mutating, also, action.id.replace(".", " ")
    )


def _subjects(state: ViewState) -> Iterator[Offer]:
    shown = {symptom.id: symptom.observed for symptom in state.symptoms}
    titles = {known.id: known.title for known in state.runbook.symptoms}
    for symptom_id in dict.fromkeys([*shown, *titles]):
        words = visible(titles.get(symptom_id) or shown[symptom_id], 200)
        yield Offer(SYMPTOM + symptom_id, symptom_id, words, "symptom", also=shown.get(symptom_id, ""))
    for incident in state.runbook.incidents:
        words = visible(f"{incident.state.lower()}, {incident.title or incident.symptom}", 200)
        yield Offer(INCIDENT + incident.id, visible(incident.id), words, "incident", also="undo revert")
    for run in state.runs:
        words = visible(f"{run.command} {run.run_hash or ''}".strip(), 200)
        yield Offer(RUN + run.pipeline_run_id, visible(run.pipeline_run_id), words, "run")
    for relative in _FILES:
        yield Offer(f"{FILE}{relative}", relative.name, str(relative.parent), "file")
    for counts in state.rows.streams:
        relative = paths.EVIDENCE / f"{counts.stream}.jsonl"
        words = "evidence of the stream"
        yield Offer(f"{FILE}{relative}", visible(counts.stream), words, "stream")


def score(wanted: str, offer: Offer) -> int | None:
    """How well ``wanted`` names the offer, lower is better; None when it does not.

    The name beats its start, and that a start of one of its words, then of its help or its other names; then
    come letters inside a word, and letters in the right order.
    """
    typed = wanted.casefold().strip()
    if not typed:
        return 0
    name, more = offer.name.casefold(), f"{offer.help} {offer.also}".casefold()
    if name == typed:
        return -1
    if name.startswith(typed) or offer.short.startswith(typed):
        return 0
    for rank, text in ((0, name), (0, offer.short), (1_000, more)):
        starts = [at for at, word in _words(text) if word.startswith(typed)]
        if starts:
            return rank + 1 + min(starts[0], 400) + 500 * offer.is_subject
    for rank, text in ((2_000, name), (3_000, more)):
        if typed in text:
            return rank + min(text.index(typed), 500)
    if all(
        any(word.startswith(part) for _, word in _words(f"{name} {offer.short} {more}"))
        for part in typed.split()
    ):
        return 4_000
    return 10_000 if _in_order(typed, name) else None


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Words, and what stands behind a mark inside of them: ``sft-leak`` is found by leak."""
    at = 0
    for word in text.split(" "):
        yield at, word
        for mark in ".-_/":
            for tail in word.split(mark)[1:]:
                yield at, tail
        at += len(word) + 1


def _in_order(typed: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in typed if letter != " ")


def find(wanted: str, among: Iterable[Offer]) -> list[Offer]:
    """The offers that ``wanted`` may mean; the order that they are in breaks ties."""
    scored = ((score(wanted, offer), position, offer) for position, offer in enumerate(among))
    found = [(value, position, offer) for value, position, offer in scored if value is not None]
    return [offer for _, _, offer in sorted(found, key=lambda item: item[:2])]
