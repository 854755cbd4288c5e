"""One reading of a workspace, as tests ask for it."""

from __future__ import annotations

from pathlib import Path

from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.status import PhaseStatus, WorkspaceStatus
from tests.console.workspaces import (
    NOW,
)

AUDIT_JSON = paths.AUDIT_DATA
ACCEPTANCE_JSON = paths.ACCEPTANCE_DATA


def read(root: Path, now: float = NOW) -> WorkspaceStatus:
    return WorkspaceReader(root).read(now)


def phase(status: WorkspaceStatus, phase_id: str) -> PhaseStatus:
    return next(known for known in status.phases if known.id == phase_id)


def symptoms(status: WorkspaceStatus) -> list[str]:
    return [symptom.id for symptom in status.symptoms]
