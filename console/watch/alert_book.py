"""PURE: which alerts follow when the symptoms that show now are compared with those before.

One alert a symptom: when it shows, when it changes, again after a while as a reminder, and when
it has gone. What is merely information is told as a change and never asks for a reminder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.contracts.moments import iso_utc
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import SymptomStatus
from pipeline.contracts.untrusted import visible

ALERT_VERSION = 1
MOST_OBSERVED = 2_000  # characters: the same words as in every other place, and no flood


class AlertKind(StrEnum):
    """Permanent: receivers tell by it what happened."""

    RAISED = "raised"
    CHANGED = "changed"
    REMINDER = "reminder"
    CLEARED = "cleared"
    TROUBLE = "trouble"  # the watch itself cannot see something
    TROUBLE_OVER = "trouble-over"


@dataclass(frozen=True, slots=True)
class Alert:
    """``since`` is when it was first seen, in seconds since the epoch."""

    kind: AlertKind
    at: float
    id: str
    severity: Severity
    observed: str
    next_step: str
    since: float
    open: tuple[str, ...]

    def to_dict(self, workspace: str, name: str) -> dict[str, Any]:
        """What the alert command gets: JSON types, texts without hidden characters."""
        return {
            "schema_version": ALERT_VERSION,
            "kind": self.kind,
            "at": iso_utc(self.at),
            "workspace": workspace,
            "name": visible(name, 200),
            "symptom": {
                "id": self.id,
                "severity": self.severity,
                "observed": visible(self.observed, MOST_OBSERVED),
                "next_step": visible(self.next_step, 300),
                "since": iso_utc(self.since),
            },
            "open": list(self.open),
        }

    @property
    def wants_a_person(self) -> bool:
        """Whether the alert command is called for it."""
        return self.severity is not Severity.INFO


@dataclass(frozen=True, slots=True)
class _Open:
    symptom: SymptomStatus
    since: float
    told: float


@dataclass
class AlertBook:
    """What is open, since when, and when it was last told."""

    remind_seconds: float
    _open: dict[str, _Open] = field(default_factory=dict)
    _trouble: dict[str, float] = field(default_factory=dict)

    def update(self, symptoms: Sequence[SymptomStatus], now: float) -> list[Alert]:
        """The alerts that follow. Raised ones come first, in the order of ``symptoms``."""
        found = {symptom.id: symptom for symptom in symptoms}
        ids = tuple(found)
        alerts = []
        for symptom in found.values():
            known = self._open.get(symptom.id)
            kind = _kind(known, symptom, now, self.remind_seconds)
            since = min(known.since if known else now, now if symptom.since is None else symptom.since)
            told = now if kind is not None or known is None else known.told
            self._open[symptom.id] = _Open(symptom, since, told)
            if kind is not None:
                alerts.append(_alert(kind, symptom, since, now, ids))
        for gone in [key for key in self._open if key not in found]:
            known = self._open.pop(gone)
            alerts.append(_alert(AlertKind.CLEARED, known.symptom, known.since, now, ids))
        return alerts

    def trouble(self, subject: str, what: str | None, now: float) -> list[Alert]:
        """The watch cannot see ``subject`` (``what`` says why), or can again (None); told once each."""
        since = self._trouble.get(subject)
        if (what is None) is (since is None):
            return []
        kind, first = AlertKind.TROUBLE, now
        if since is not None:
            kind, first = AlertKind.TROUBLE_OVER, since
            del self._trouble[subject]
        else:
            self._trouble[subject] = now
        observed, next_step = what or "can be seen again", "distill doctor" if what else ""
        return [Alert(kind, now, subject, Severity.ERROR, observed, next_step, first, tuple(self._open))]


def _kind(known: _Open | None, symptom: SymptomStatus, now: float, remind_seconds: float) -> AlertKind | None:
    if known is None:
        return AlertKind.RAISED
    before = known.symptom
    if (before.severity, before.observed) != (symptom.severity, symptom.observed):
        return AlertKind.CHANGED
    if symptom.severity is not Severity.INFO and now - known.told >= remind_seconds:
        return AlertKind.REMINDER
    return None


def _alert(kind: AlertKind, symptom: SymptomStatus, since: float, now: float, ids: tuple[str, ...]) -> Alert:
    return Alert(kind, now, symptom.id, symptom.severity, symptom.observed, symptom.next_step, since, ids)
