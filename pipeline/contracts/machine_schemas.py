"""JSON Schema (2020-12) of what programs read of a workspace: ``report.json``, ``status --json``, events.

Each is made from the types that write it. More members may come; none goes away without another version, so
that a reader must not mind what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from pipeline.contracts.checks import CheckResult, DriftRow
from pipeline.contracts.events import EVENT_STREAM_VERSION, KnownEvent
from pipeline.contracts.status import STATUS_VERSION, WorkspaceStatus
from pipeline.contracts.status_data import TIME_FIELDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BATCH_REPORT_VERSION = 1


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", defer_build=True)


class Place(_Open):
    file: str
    line: int | None


class Trouble(_Open):
    """``kind`` is part, check or symptom; ``again`` a command."""

    kind: str
    id: str
    word: str
    message: str
    again: str
    places: list[Place]


class Cause(_Open):
    trouble: Trouble
    consequences: list[Trouble]


class PartReport(_Open):
    name: str
    status: str
    exit_code: int | None
    elapsed_seconds: float
    said: str
    detail: str
    warnings: list[str]


class SymptomReport(_Open):
    id: str
    severity: str
    observed: str
    next_step: str


class BatchReport(_Open):
    """``report.json``, and what ``--batch --json`` prints. Times are ISO 8601, UTC."""

    schema_version: int
    kind: str
    batch_id: str
    ok: bool
    exit_code: int
    verdict: str
    workspace: str
    started_at: str
    finished_at: str
    elapsed_seconds: float
    fail_on: str
    timeout_seconds: float | None
    pipeline_run_id: str | None
    run_hash: str | None
    git: Any
    engine: Any
    counts: dict[str, Any] | None
    streams: Any
    parts: list[PartReport]
    checks: list[CheckResult]
    drift: list[DriftRow]
    drift_thresholds: Any
    firewall: dict[str, Any] | None
    firewall_before: dict[str, Any] | None
    symptoms: list[SymptomReport]
    causes: list[Cause]
    incident: str | None
    acceptance_root: str | None
    acceptance_root_packed: str | None


@cache
def machine_schemas() -> Mapping[str, dict[str, Any]]:
    """By name: ``batch_report``, ``status``, ``event``. The last is of one line of a stream."""
    return {
        "batch_report": _named("batch_report", BATCH_REPORT_VERSION, BatchReport.model_json_schema()),
        "status": _named("status", STATUS_VERSION, _status()),
        "event": _named("event", EVENT_STREAM_VERSION, _event()),
    }


def _named(name: str, version: int, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:distill:machine:{name}:{version}", **schema}


def _event() -> dict[str, Any]:
    """A known type as it is declared. One that came later is an event, too."""
    schema = TypeAdapter(KnownEvent).json_schema(mode="validation")
    definitions = schema.pop("$defs")
    known = [
        definitions[each["$ref"].rpartition("/")[2]]["properties"]["type"]["const"]
        for each in schema["oneOf"]
    ]
    later = {
        "type": "object",
        "properties": {"type": {"type": "string", "not": {"enum": known}}},
        "required": ["type", "seq", "at"],
    }
    for definition in definitions.values():
        # The model fills in its own name; a line has to say it.
        if "type" in definition.get("properties", {}) and "const" in definition["properties"]["type"]:
            definition["required"] = ["type", *definition.get("required", [])]
    return {"oneOf": [*schema["oneOf"], later], "$defs": definitions}


def _status() -> dict[str, Any]:
    """Every member is always there, and a time ``x`` may have its ISO form ``x_utc`` beside it."""
    schema = TypeAdapter(WorkspaceStatus).json_schema(mode="serialization")
    for each in (schema, *schema["$defs"].values()):
        properties = each.get("properties", {})
        each["required"] = list(properties)
        for name in TIME_FIELDS & properties.keys():
            properties[f"{name}_utc"] = {"type": ["string", "null"]}
    head = {"status_version": {"type": "integer"}, "exit_code": {"type": "integer"}}
    schema["properties"] = {**head, **schema["properties"]}
    schema["required"] = [*head, *schema["required"]]
    return schema
