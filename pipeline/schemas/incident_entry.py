"""IncidentEntry, listed among the schemas; its model stands with the contracts."""

from __future__ import annotations

from pipeline.contracts.incidents import INCIDENT_SCHEMA_VERSION, IncidentEntry

SCHEMA_VERSION = INCIDENT_SCHEMA_VERSION

__all__ = ["SCHEMA_VERSION", "IncidentEntry"]
