"""Which screen a ``screen.…`` action opens. Screens are imported when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.tui.screens.base import ConsoleScreen

PREFIX = "screen."


def screen_for(action_id: str, workspace: str) -> ConsoleScreen:
    """A new screen for an action of the key map. Raises KeyError for another action."""
    name = action_id.removeprefix(PREFIX)
    if name == "audit":
        from console.tui.screens.audit import AuditScreen

        return AuditScreen(workspace)
    if name == "release":
        from console.tui.screens.release import ReleaseScreen

        return ReleaseScreen(workspace)
    if name == "runbook":
        from console.tui.screens.runbook import RunbookScreen

        return RunbookScreen()
    if name == "incidents":
        from console.tui.screens.incidents import IncidentsScreen

        return IncidentsScreen(workspace)
    if name == "rows":
        from console.tui.screens.files import FilesScreen

        return FilesScreen(workspace)
    if name == "runs":
        from console.tui.screens.runs import RunsScreen

        return RunsScreen(workspace)
    if name == "skips":
        from console.tui.screens.skips import SkipsScreen

        return SkipsScreen(workspace)
    raise KeyError(action_id)


def wizard_for(symptom_id: str | None, incident_id: str | None) -> ConsoleScreen:
    """The wizard of an incident, where one is named, else that of a symptom."""
    from console.tui.screens.wizard import WizardScreen

    return WizardScreen.reopen(incident_id) if incident_id else WizardScreen(symptom_id)
