"""What a plan is made with: the workspace, the incident it belongs to, who, and the clock."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.workspace import Workspace


@dataclass(frozen=True)
class Planning:
    """``now`` is seconds since the epoch; it appears in the plan, so it is asked once."""

    workspace: Workspace
    incident_id: str
    symptom_id: str | None
    actor: str
    now: float
