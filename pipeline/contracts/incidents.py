"""IncidentEntry: one line of an incident's journal.

It stands here and not among the schemas, because the journal must be writable while they
are the very thing that is broken.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

INCIDENT_SCHEMA_VERSION = 1


def _plain_integer(value: object) -> object:
    """A literal compares with ``==``, so that it alone would take True and 1.0 for 1."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


_Version1 = Annotated[Literal[1], BeforeValidator(_plain_integer)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Utc = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
]

WizardState = Literal[
    "detected",
    "diagnosing",
    "classified",
    "planned",
    "awaiting_approval",
    "applying",
    "verifying",
    "resolved",
    "mitigated",
    "escalated",
    "abandoned",
]
EntryKind = Literal[
    "opened",
    "probe",
    "classified",
    "planned",
    "consent",
    "intent",
    "outcome",
    "verified",
    "state",
    "owner",
    "note",
]


class IncidentEntry(BaseModel):
    """One line of `reports/incidents/<incident_id>/journal.jsonl`, chained to the one before."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )

    schema_version: _Version1 = Field(description="Version of this schema.")
    incident_id: Annotated[str, Field(min_length=1)] = Field(description="The incident.")
    seq: Annotated[int, Field(ge=1)] = Field(description="Number of the line, counted from 1.")
    prev_hash: _Sha256 | None = Field(description="Hash of the line before; null on the first.")
    kind: EntryKind = Field(description="What the line records.")
    state: WizardState = Field(description="State of the wizard once the line is written.")
    actor: Annotated[str, Field(min_length=1)] = Field(description="Who acted: the person behind sudo, too.")
    host: str = Field(description="Machine on which it happened.")
    argv: list[str] = Field(description="Command that was run; empty when there was none.")
    inputs: dict[str, _Sha256 | None] = Field(
        description="SHA-256 by path before the act; null for a file that is absent."
    )
    outputs: dict[str, _Sha256 | None] = Field(
        description="SHA-256 by path after the act; null for a file that is absent."
    )
    verdict: str | None = Field(description="What a probe or check concluded.")
    plan_hash: _Sha256 | None = Field(description="The plan that was made, consented to or carried out.")
    reason: str | None = Field(description="Why, in the actor's words.")
    detail: dict[str, JsonValue] = Field(description="What belongs to this kind alone, as JSON.")
    recorded_at: _Utc = Field(description="When the line was written.")
    hash: _Sha256 = Field(description="SHA-256 over the line's canonical bytes without this member.")
