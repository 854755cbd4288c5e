"""Every action of the console: its key, its help, whether it changes anything, where it works.

Bindings, the help screen, the key line, the command palette and ``docs/keys.md`` are all made
from this one table. An action that is not here cannot be reached; an action marked
``mutating`` is refused by the command layer unless the console is armed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Place = Literal[
    "dashboard", "log", "page", "help", "audit", "release", "runs", "files", "rows", "row", "lineage",
    "skips", "check", "runbook", "symptom", "incidents", "incident", "wizard", "dialogue",
]  # fmt: skip
DASHBOARD: frozenset[Place] = frozenset(("dashboard",))
# Screens with a marked line; enter opens it.
MARKED: frozenset[Place] = frozenset(
    ("audit", "check", "release", "runs", "files", "rows", "lineage", "skips", "runbook", "incidents")
)
PAGES: frozenset[Place] = frozenset(("dashboard", "log", "page", "help", "row", "symptom", "incident"))
WIZARD: frozenset[Place] = frozenset(("wizard",))
LISTS = PAGES | MARKED | WIZARD
DIALOGUE: frozenset[Place] = frozenset(("dialogue",))
_BESIDE: frozenset[Place] = DASHBOARD | MARKED | {"symptom", "incident"}
_SIDEWAYS: frozenset[Place] = frozenset(("dashboard", "incident"))
EVERYWHERE = LISTS | DIALOGUE

# The one permit under which a wizard writes: it opens an incident, answers, agrees, starts the worker.
WIZARD_ANSWER = "wizard.answer"

GROUPS = {
    "look": "View",
    "screens": "Other screens (capitals, from everywhere)",
    "move": "Move",
    "copy": "Copy and save",
    "act": "Change something (armed only)",
    "console": "This console",
}


@dataclass(frozen=True)
class Action:
    """``keys`` are Textual's names; the first is shown. ``hint`` is the word on the key line."""

    id: str
    keys: tuple[str, ...]
    group: str
    help: str
    where: frozenset[Place] = LISTS
    hint: str = ""
    mutating: bool = False
    in_palette: bool = True

    @property
    def shown_key(self) -> str:
        return shown(self.keys[0])


_SHOWN = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


_NAMED = {name: key for key, name in _SHOWN.items()}


def shown(key: str) -> str:
    """A key as an operator reads it: ``?`` for ``question_mark``."""
    return _SHOWN.get(key, key)


def _pane(number: int, name: str) -> Action:
    words = f"Go to pane {number}, {name}; again: whole screen."
    return Action(f"pane.{number}", (str(number),), "look", words, DASHBOARD)


def _on(*places: Place) -> frozenset[Place]:
    return frozenset(places)


def _screen(name: str, keys: tuple[str, ...], help_text: str, hint: str = "") -> Action:
    return Action(f"screen.{name}", keys, "screens", help_text, hint=hint)


# In the order in which they matter to someone who has just been woken up.
# Two lines an action: what it is, and the words that help and docs have for it.
# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("wizard.open", ("w",), "look", hint="fix",
        help="Fix the marked symptom: the wizard shows what was detected, why, and what can be done."),
    Action("symptom.help", ("b",), "look",
        help="The marked symptom by hand: what you see, and the commands to run yourself."),
    Action(WIZARD_ANSWER, ("enter",), "act", where=WIZARD, hint="answer", mutating=True, in_palette=False,
        help="Choose the marked answer. What changes a file shows its plan first and asks for consent."),
    Action("choose", ("enter",), "look", where=DIALOGUE, hint="choose", in_palette=False,
        help="Choose the marked line; the first one is always no."),
    Action("back", ("escape",), "look", where=EVERYWHERE, hint="back", in_palette=False,
        help="Go back: out of a zoomed pane, then to the screen before. In a dialogue it answers no."),
    Action("mark", ("space",), "look", where=_on("runs"), hint="choose", in_palette=False,
        help="Choose this run for a comparison; with two chosen, enter compares them."),
    Action("trace", ("t",), "look", where=_on("rows", "row", "skips", "check"), hint="trace",
        help="Trace this row's lineage, from the export down to its source line."),
    Action("unfold", ("plus",), "look", where=_on("row", "wizard"), hint="unfold",
        help="Unfold long texts, and fold them again."),
    Action("zoom", ("z",), "look", "The pane on the whole screen, and back.", DASHBOARD, hint="zoom"),
    Action("run.start", ("s",), "act", where=DASHBOARD, hint="start", mutating=True,
        help="Start run-all as a detached process, after a preview. Losing this console does not stop it."),
    Action("run.cancel", ("x",), "act", where=DASHBOARD, hint="cancel", mutating=True,
        help="Cancel the run, after a question. It stops at a safe point and can be resumed."),
    Action("audit.start", ("u",), "act", where=_on("dashboard", "audit"), hint="audit", mutating=True,
        help="Start audit-full detached, after a preview. It recomputes every claim and writes its report."),
    Action("acceptance.start", ("p",), "act",
        "Start acceptance detached, after a preview. It checks the engine on the fixture, in a temp root.",
        where=_on("dashboard", "audit"), hint="acceptance", mutating=True),
    Action("release.start", ("f",), "act", where=_on("dashboard", "release"), hint="freeze", mutating=True,
        help="Start release-freeze detached, after a preview: six gates and a manifest; nothing is tagged."),
    Action("engine.trust", ("T",), "act", mutating=True,
        help="Show what changed in the workspace's own code since it was trusted, and trust this version."),
    Action("incident.export", ("X",), "act", where=_on("incidents", "incident"), hint="export",
        mutating=True, help="Export the incident as one file, after a preview."),
    Action("undo.command", ("U",), "copy", where=_on("incidents", "incident"), hint="copy undo",
        help="Copy the command that previews the undo of the incident's last change."),
    Action("incident.page", ("o",), "look", where=_on("incidents", "incident"), hint="hand-over",
        help="The incident as a hand-over page, and back to its steps."),
    Action("arm", ("a",), "console", hint="arm",
        help="Arm this console for 15 minutes, with a reason; again: disarm."),
    Action("filter", ("slash",), "look", where=_on("dashboard", "log", "rows"), hint="filter",
        help="Filter the log by words (!word leaves out); in rows: find a text from here on."),
    Action("palette", ("colon", "ctrl+p"), "console", hint="commands", in_palette=False,
        help="Find a command, symptom, incident, run, file or stream by a part of its name."),
    Action("help", ("question_mark", "f1"), "console", "Every key that works here.", hint="help"),
    Action("quit", ("q",), "console", hint="quit",
        help="Quit the console. Quitting stops nothing; the run goes on."),
    Action("how_to_quit", ("ctrl+c",), "console", where=LISTS, in_palette=False,
        help="Say how to quit: ctrl+c ends nothing here."),
    Action("open", ("enter",), "look", where=DASHBOARD | MARKED, hint="open", in_palette=False,
        help="Open what is marked."),
    Action("save", ("v", "ctrl+s"), "copy", where=EVERYWHERE - DIALOGUE,
        help="Save this screen as a picture (SVG), below reports/console."),
    Action("save.text", ("V",), "copy", where=EVERYWHERE - DIALOGUE,
        help="Save this screen as text, below reports/console."),
    Action("copy", ("y",), "copy", "Copy what is marked or shown (OSC 52, also through tmux).", hint="copy"),
    Action("copy.command", ("c",), "copy", where=EVERYWHERE, hint="copy command",
        help="Copy the command that would be run, instead of running it."),
    Action("log", ("e",), "look", "The event log on the whole screen.", DASHBOARD),
    *(
        _pane(number, name)
        for number, name in enumerate(
            ("the firewall", "row counts", "phases", "drift", "runs (wide screens)", "log (wide screens)"),
            start=1,
        )
    ),
    Action("symptom.previous", ("left_square_bracket",), "look", where=_BESIDE,
        help="The symptom, check, incident or line before this one; in rows: the match before."),
    Action("symptom.next", ("right_square_bracket",), "look", where=_BESIDE,
        help="The next symptom, check, incident or line; in rows: find the text again."),
    _screen("audit", ("A", "7"), "Audit: every check by phase, failing ones first.", "audit screen"),
    _screen("runs", ("R", "8"), "Runs: past runs, their receipts, two of them compared."),
    _screen("rows", ("D", "9"), "Rows: the data itself, evidence to exports; search, open, trace."),
    _screen("skips", ("S",), "Skips: why source lines were left out, with examples."),
    _screen("runbook", ("W",),
        "Runbook: every symptom, detected ones first; each one key from its wizard.", "runbook"),
    _screen("incidents", ("I",), "Incidents: what was done and why, replayed step by step."),
    _screen("release", ("F",), "Release: the six gates of release-freeze, live."),
    Action("refresh", ("r",), "look", "Read the workspace from disk again, now."),
    Action("up", ("up", "k"), "move", "One line up.", EVERYWHERE, in_palette=False),
    Action("down", ("down", "j"), "move", "One line down.", EVERYWHERE, in_palette=False),
    Action("left", ("left", "h"), "move", where=_SIDEWAYS, in_palette=False,
        help="The pane to the left; in an incident: the step before."),
    Action("right", ("right", "l"), "move", where=_SIDEWAYS, in_palette=False,
        help="The pane to the right; in an incident: the next step."),
    Action("page_up", ("pageup",), "move", "One page up.", EVERYWHERE, in_palette=False),
    Action("page_down", ("pagedown",), "move", "One page down.", EVERYWHERE, in_palette=False),
    Action("top", ("home", "g"), "move", "To the first line.", in_palette=False),
    Action("bottom", ("end", "G"), "move", "To the last line, and follow it.", in_palette=False),
    Action("suspend", ("ctrl+z",), "console", "Suspend the console; fg brings it back. Runs go on.", LISTS),
    Action("redraw", ("ctrl+l",), "console",
        help="Draw the whole screen again, after a bad link left marks on it."),
)
# fmt: on

BY_ID = {action.id: action for action in ACTIONS}
MUTATING = tuple(action for action in ACTIONS if action.mutating)


def configure(keys: Mapping[str, tuple[str, ...]]) -> None:
    """Give actions other keys. Before the screens are imported, which make their bindings of them.

    ``key_settings.read_keys`` has made sure that the actions exist and no key means two things.
    """
    global ACTIONS, MUTATING
    ACTIONS = with_keys(keys)
    BY_ID.update({action.id: action for action in ACTIONS})
    MUTATING = tuple(action for action in ACTIONS if action.mutating)


def with_keys(keys: Mapping[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """The table with other keys for some actions."""
    return tuple(replace(action, keys=keys.get(action.id, action.keys)) for action in ACTIONS)


def named(key: str) -> str:
    """A key as Textual names it, from what an operator reads: ``question_mark`` for ``?``."""
    return _NAMED.get(key, key)


def at(place: Place) -> tuple[Action, ...]:
    """The actions that work in a place, in the table's order."""
    return tuple(action for action in ACTIONS if place in action.where)


def both_brackets() -> str:
    """The keys that go to the one before and the next, for a key line."""
    return " ".join(BY_ID[f"symptom.{way}"].shown_key for way in ("previous", "next"))


def hints(place: Place) -> tuple[tuple[str, str], ...]:
    """Key and word for the key line, those that matter most first."""
    return tuple((action.shown_key, action.hint) for action in at(place) if action.hint)
