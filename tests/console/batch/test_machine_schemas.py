"""What programs read, held against the JSON Schemas that are exported for it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from console.batch.report import batch_report
from pipeline.contracts import events
from pipeline.contracts.machine_schemas import machine_schemas
from pipeline.contracts.status import STATUS_VERSION
from pipeline.contracts.status_data import as_data
from tests.console import states
from tests.console.batch.outcomes import batch, breach, hostile_batch


def problems(name: str, value: Any) -> list[str]:
    validator = jsonschema_rs.validator_for(machine_schemas()[name])
    return [f"{list(each.instance_path)}: {each.message}" for each in validator.iter_errors(value)]


@pytest.mark.parametrize("made", [batch, breach], ids=["good", "breach"])
def test_a_report_is_as_its_schema_says(made: Any) -> None:
    assert problems("batch_report", json.loads(json.dumps(batch_report(made())))) == []


def test_every_member_of_a_report_is_in_its_schema_and_required() -> None:
    schema = machine_schemas()["batch_report"]
    assert list(batch_report(batch())) == list(schema["properties"]) == schema["required"]


@pytest.mark.parametrize("made", [states.healthy, states.breach, states.warn])
def test_a_status_is_as_its_schema_says(made: Any) -> None:
    state = made()
    data = {"status_version": STATUS_VERSION, "exit_code": 0, **as_data(states.status(rows=state.rows))}
    assert problems("status", json.loads(json.dumps(data))) == []
    del data["symptoms"]
    assert problems("status", json.loads(json.dumps(data)))


def test_events_are_as_their_schema_says() -> None:
    at = "2026-04-27T06:00:00Z"
    good: list[events.Event] = [
        events.LogLine(seq=1, at=at, message="x"),
        events.StageStarted(seq=2, at=at, stage="score"),
        events.RunFinished(seq=3, at=at, ok=True, exit_code=0),
    ]
    for event in good:
        assert problems("event", json.loads(events.encode(event))) == []
    assert problems("event", {"type": "later", "seq": 4, "at": at, "more": 1}) == []
    assert problems("event", {"type": "log", "seq": 4, "at": at})
    assert problems("event", {"seq": 4, "at": at, "message": "x"})


def test_a_hostile_report_is_as_its_schema_says() -> None:
    text = json.dumps(batch_report(hostile_batch())).replace("\\ud800", "")
    assert problems("batch_report", json.loads(text)) == []
