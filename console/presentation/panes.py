"""What each pane of the dashboard shows, by its name; the plain status prints the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.drift import drift_pane
from console.presentation.event_log import log_pane
from console.presentation.firewall import firewall_pane
from console.presentation.frame import PaneView
from console.presentation.phases import phases_pane
from console.presentation.row_counts import rows_pane
from console.presentation.runs import runs_pane

if TYPE_CHECKING:
    from console.state.view_state import ViewState
    from pipeline.contracts.status import WorkspaceStatus


def pane_view(
    name: str,
    view: WorkspaceStatus | ViewState,
    now: float,
    width: int,
    height: int,
    *,
    was_read: bool = True,
) -> PaneView:
    """The pane inside a frame of ``width`` x ``height`` cells. The log is the console's own."""
    match name:
        case "firewall":
            return firewall_pane(view.firewall, now, width)
        case "rows":
            return rows_pane(view.rows, now, width, height, was_read=was_read)
        case "phases":
            return phases_pane(view.phases, now, width, height, was_read=was_read)
        case "drift":
            return drift_pane(view.drift, now, width, height, was_read=was_read)
        case "runs":
            return runs_pane(view.runs, now, width)
        case "log":
            return log_pane(getattr(view, "log", ()), width, height, getattr(view, "trouble", ""))
        case _:
            raise ValueError(f"no pane {name}")
