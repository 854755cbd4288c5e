"""The event stream of an engine command: one JSON object a line.

The first event is ``run.started``, the last ``run.finished``. ``seq`` counts from 1 and
reveals a lost line; a partial last line reveals a killed engine. What may come from a newer
engine ignores unknown fields; an unknown type is kept as ``UnknownEvent`` and shown raw.
Types and fields are added freely; removing one raises ``EVENT_STREAM_VERSION``.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.contracts.checks import CheckResult, DriftRow

EVENT_STREAM_VERSION = 1


# ``defer_build``: a process uses few of these, and each is made when it is first used. Making them
# all took a third of what an engine command takes to start.
class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    seq: int = Field(ge=1)
    at: str  # ISO 8601, UTC, ends in Z


class RunStarted(_Event):
    type: Literal["run.started"] = "run.started"
    version: int = EVENT_STREAM_VERSION
    pipeline_run_id: str
    command: str
    argv: tuple[str, ...] = ()
    workspace: str
    pid: int
    host: str
    user: str = ""
    stages: tuple[str, ...] = ()
    workers: int = 1
    engine_source: str = "installed"
    engine_version: str = ""


class StageStarted(_Event):
    type: Literal["stage.started"] = "stage.started"
    stage: str
    bytes_total: int | None = None
    rows_total: int | None = None


class StageProgress(_Event):
    """``by_stream`` maps a stream to rows per category, so that counts are live by stream."""

    type: Literal["stage.progress"] = "stage.progress"
    stage: str
    rows_in: int = 0
    rows_out: int = 0
    skipped: int = 0
    quarantined: int = 0
    bytes_done: int = 0
    bytes_total: int | None = None
    rows_per_second: float | None = None
    chunks_done: int = 0
    chunks_total: int | None = None
    categories: dict[str, int] = Field(default_factory=dict)
    by_stream: dict[str, dict[str, int]] = Field(default_factory=dict)


class StageFinished(_Event):
    type: Literal["stage.finished"] = "stage.finished"
    stage: str
    ok: bool
    elapsed_seconds: float
    rows_in: int = 0
    rows_out: int = 0
    skipped: int = 0
    quarantined: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    receipt: str | None = None


class CheckReported(_Event):
    type: Literal["check.result"] = "check.result"
    check: CheckResult


class DriftReported(_Event):
    type: Literal["drift.row"] = "drift.row"
    row: DriftRow


class FirewallFinding(BaseModel):
    """One offence of one row, of the wall that the firewall names; texts are data."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    wall: str
    file: str
    line: int
    byte_offset: int
    row_id: str | None = None
    run_id: str | None = None
    detail: str = ""


class FirewallState(_Event):
    """State is CLEAR, BREACH, ABSENT, STALE or UNKNOWN. ``findings`` holds the first ones.

    A row may have several findings: ``forbidden_rows`` counts rows. ``forbidden_files`` counts files
    that a finding concerns as a whole. Both are None when whoever wrote the event did not count them.
    ``walls`` are those that the rows were held against; ``evaluation`` is empty where nothing was said of
    evaluation sets. ``not_evaluated`` has for each other wall why it could not look.
    """

    type: Literal["firewall.state"] = "firewall.state"
    state: str
    file: str
    rows_read: int = 0
    rows_total: int | None = None
    findings_count: int = 0
    forbidden_rows: int | None = None
    forbidden_files: int | None = None
    by_wall: dict[str, int] = Field(default_factory=dict)
    by_file: dict[str, int] = Field(default_factory=dict)
    more_files: int | None = None
    findings: tuple[FirewallFinding, ...] = ()
    since: str | None = None
    detail: str = ""
    cause: str | None = None
    sha256: str | None = None
    walls: tuple[str, ...] = ()
    evaluation: str = ""
    evaluation_sets: int | None = None
    evaluation_refused: int | None = None
    not_evaluated: dict[str, str] = Field(default_factory=dict)


class LogLine(_Event):
    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    message: str
    fault: dict[str, Any] | None = None


class RunFinished(_Event):
    """``summary_sha256`` pins the run's summary, which no receipt does."""

    type: Literal["run.finished"] = "run.finished"
    ok: bool
    exit_code: int
    run_hash: str | None = None
    summary_sha256: str | None = None
    elapsed_seconds: float | None = None
    fault: dict[str, Any] | None = None


class UnknownEvent(_Event):
    """A type that this version does not know, kept whole in ``raw``."""

    type: str
    raw: dict[str, Any]


Known = (
    RunStarted
    | StageStarted
    | StageProgress
    | StageFinished
    | CheckReported
    | DriftReported
    | FirewallState
    | LogLine
    | RunFinished
)
KnownEvent = Annotated[Known, Field(discriminator="type")]
Event = Known | UnknownEvent

_KNOWN_TYPES = frozenset(kind.model_fields["type"].default for kind in get_args(Known))


@cache
def _adapter() -> TypeAdapter[Any]:
    """Made when the first event is decoded: whoever only writes events never pays for it."""
    return TypeAdapter(KnownEvent)


def encode(event: Event) -> bytes:
    """One line, newline included, to be written with a single write call."""
    return event.model_dump_json(exclude_none=True).encode() + b"\n"


def decode(line: bytes) -> Event:
    """The event in one line. Raises ValueError when the line is not an event at all."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON line: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise ValueError("not an event: no type")
    if value["type"] not in _KNOWN_TYPES:
        seq, at = value.get("seq"), value.get("at")
        return UnknownEvent(
            seq=seq if isinstance(seq, int) and seq >= 1 else 1,
            at=at if isinstance(at, str) else "",
            type=value["type"],
            raw=value,
        )
    try:
        event: Event = _adapter().validate_python(value)
    except ValidationError as error:
        raise ValueError(f"not a valid {value['type']} event: {error.error_count()} errors") from error
    return event
