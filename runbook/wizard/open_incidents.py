"""The incidents that somebody has to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from runbook.change.incident import Incident, known_incidents
from runbook.wizard.dialogue import Standing, fold


def open_incidents(
    root: Path, *, among: Callable[[Incident], bool] = lambda _incident: True
) -> Iterator[tuple[Incident, Standing]]:
    """Incidents from which somebody has to go on, the latest first.

    ``among`` is asked before a journal is read. A damaged one is left out: the list of incidents shows it.
    """
    for incident_id in reversed(known_incidents(root)):
        incident = Incident(root, incident_id)
        if not among(incident):
            continue
        try:
            standing = fold(incident.journal.entries())
        except OperatorError:
            continue
        if standing.entries and not standing.is_over:
            yield incident, standing
