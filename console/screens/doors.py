"""Which screen a ``screen.…`` action opens. Screens are imported when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen

PREFIX = "screen."


def screen_for(action_id: str, workspace: str) -> ConsoleScreen:
    """A new screen for an action of the key map. Raises KeyError for another action."""
    name = action_id.removeprefix(PREFIX)
    if name == "audit":
        from console.screens.audit import AuditScreen

        return AuditScreen(workspace)
    if name == "release":
        from console.screens.release import ReleaseScreen

        return ReleaseScreen(workspace)
    if name == "rows":
        from console.screens.files import FilesScreen

        return FilesScreen(workspace)
    if name == "runs":
        from console.screens.runs import RunsScreen

        return RunsScreen(workspace)
    if name == "skips":
        from console.screens.skips import SkipsScreen

        return SkipsScreen(workspace)
    raise KeyError(action_id)
