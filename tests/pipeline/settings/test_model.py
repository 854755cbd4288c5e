"""The settings model as Python code uses it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.settings.model import EngineSettings, Settings, StreamSettings
from pipeline.settings.origin import leaves
from pipeline.settings.values import size_in_bytes

AIRLINE = StreamSettings.model_validate({"name": "airline", "path": "a.jsonl", "fields": {"task_id": "id"}})


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [
        ("2MiB", 2097152),
        ("64KiB", 65536),
        ("1 GiB", 2**30),
        ("4096", 4096),
        ("4096B", 4096),
        ("2MB", 2000000),
    ],
)
def test_a_size_is_bytes_whatever_its_unit(written: str, size_bytes: int) -> None:
    assert size_in_bytes(written) == size_bytes
    assert EngineSettings.model_validate({"chunk_bytes": written}).chunk_bytes == size_bytes


@pytest.mark.parametrize("written", ["", "MiB", "-1", "2.5MiB", "2mib", "9" * 13, "1e6", "２MiB"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        EngineSettings.model_validate({"chunk_bytes": written})


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValidationError):
        Settings().scoring.accept_at = 0.1  # type: ignore[misc]


def test_settings_survive_the_way_to_a_worker() -> None:
    settings = Settings(streams=(AIRLINE,))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301


def test_exports_are_in_the_order_of_the_pipeline_however_they_are_written() -> None:
    stream = StreamSettings.model_validate({**AIRLINE.model_dump(), "exports": ["preference", "rag"]})
    assert stream.exports == ("rag", "preference")


def test_a_stream_is_found_by_name() -> None:
    settings = Settings(streams=(AIRLINE,))
    assert settings.stream("airline") is settings.streams[0]
    with pytest.raises(KeyError):
        settings.stream("hotel")


@pytest.mark.parametrize("name", ["a", "taubench_airline", "2.x-y_z"])
def test_a_stream_name_is_a_plain_file_name(name: str) -> None:
    assert StreamSettings.model_validate({**AIRLINE.model_dump(), "name": name}).name == name
    assert Path(name).name == name


@pytest.mark.parametrize("name", ["", ".hidden", "-rf", "a/b", "A", "a b", "é", "a\n", "..", "x" * 101])
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        StreamSettings.model_validate({**AIRLINE.model_dump(), "name": name})


def test_each_size_and_time_has_its_unit_in_its_name() -> None:
    """A bare ``timeout`` or ``size`` leaves the operator guessing."""
    names = {name.rsplit(".", 1)[-1] for name, _, _ in leaves(Settings(streams=(AIRLINE,)))}
    assert {"timeout_seconds", "chunk_bytes", "replay_log_mb", "warn_pct"} <= names
    assert not {"timeout", "size", "chunk", "interval", "replay_log", "limit"} & names
