"""Every screen that another one opens, by its id. A screen is imported when it is first asked for.

A screen of the key map (``screen.NAME``) is made with the workspace's path; the others with what their
opener hands over.
"""

from __future__ import annotations

import importlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen

PREFIX = "screen."
_FROM_THE_KEY_MAP = {
    "audit": "audit.AuditScreen",
    "incidents": "incidents.IncidentsScreen",
    "release": "release.ReleaseScreen",
    "rows": "files.FilesScreen",
    "runbook": "runbook.RunbookScreen",
    "runs": "runs.RunsScreen",
    "skips": "skips.SkipsScreen",
}
_FROM_OTHER_SCREENS = {
    "arm": "consent.ArmDialogue",
    "check": "audit.CheckScreen",
    "consent": "consent.ConsentDialogue",
    "fault": "fault.FaultDialogue",
    "help": "help.HelpScreen",
    "lineage": "row.LineageScreen",
    "log": "log.LogScreen",
    "palette": "palette.PaletteDialogue",
    "row": "row.RowScreen",
    "rows": "rows.RowsScreen",
    "symptom": "runbook.SymptomScreen",
    "take_over": "consent.TakeOverDialogue",
    "wizard": "wizard.WizardScreen",
    "wizard.reopened": "wizard.WizardScreen.reopen",
}
SCREENS = {**{PREFIX + name: at for name, at in _FROM_THE_KEY_MAP.items()}, **_FROM_OTHER_SCREENS}


def make(name: str, *arguments: object) -> Screen[Any]:
    """A new screen. Raises KeyError for an id that nobody has registered."""
    module, _, kind = SCREENS[name].partition(".")
    maker = attrgetter(kind)(importlib.import_module(f"console.tui.screens.{module}"))
    made: Screen[Any] = maker(*arguments)
    return made
