"""The settings model as Python code uses it, its reference page, and which settings change a digest."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.settings.digest import rows_digest, stream_digest
from pipeline.settings.model import EngineSettings, Settings, StreamSettings, from_document
from pipeline.settings.origin import leaves
from pipeline.settings.reference import page
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


# Which settings change a digest, and which must not

AIRLINE_TABLE = {"name": "airline", "path": "a.jsonl", "fields": {"task_id": "id", "reward": "reward"}}
HOTEL = {"name": "hotel", "path": "h.jsonl", "fields": {"task_id": "id"}}


def settings(**sections: Any) -> Settings:
    return from_document({"stream": [AIRLINE_TABLE, HOTEL], **sections})


def airline(**changes: Any) -> dict[str, Any]:
    return {"stream": [{**AIRLINE_TABLE, **changes}, HOTEL]}


@pytest.mark.parametrize(
    "sections",
    [
        {"engine": {"workers": 7, "chunk_bytes": "64KiB", "source": "workspace"}},
        {"workspace": {"name": "other", "last_good_tag": "v2", "source_roots": ["/mnt"]}},
        {"drift": {"warn_pct": 5.0}, "replay": {"model": "openai:x"}, "rotation": {"replay_log_mb": 1}},
        {"phases": {"P1": "abc"}, "release": {"tests": ["true"]}, "alert": {"command": ["true"]}},
        {"scoring": {"accept_at": 1, "partial_at": 0.5}},
        airline(path=["b.jsonl", "/mnt/c.jsonl"]),
        airline(tier=2, license="MIT"),
        airline(fields={"reward": "reward", "task_id": "id"}),
        airline(exports=["preference", "sft", "rag"]),
    ],
)
def test_what_leaves_the_rows_as_they_are_leaves_both_digests(sections: dict[str, Any]) -> None:
    changed = settings(**sections)
    assert rows_digest(changed) == rows_digest(settings())
    assert stream_digest(changed, changed.streams[0]) == stream_digest(settings(), settings().streams[0])


@pytest.mark.parametrize(
    "sections",
    [
        {"scoring": {"partial_at": 0.4}},
        {"export": {"validation_share": 0.2}},
        {"export": {"sft": {"max_tokens": 10}}},
        airline(fields={"task_id": "id", "reward": "score"}),
        airline(where={"path": "ok", "equals": True}),
        airline(parts="attempts"),
        airline(exports=["rag"]),
        airline(preset="openai_chat"),
        airline(name="airline2"),
    ],
)
def test_what_touches_a_row_changes_both_digests(sections: dict[str, Any]) -> None:
    changed = settings(**sections)
    assert rows_digest(changed) != rows_digest(settings())
    assert stream_digest(changed, changed.streams[0]) != stream_digest(settings(), settings().streams[0])


def test_another_stream_leaves_the_chunks_of_this_one() -> None:
    alone = from_document({"stream": [AIRLINE_TABLE]})
    assert stream_digest(alone, alone.streams[0]) == stream_digest(settings(), settings().streams[0])
    assert rows_digest(alone) != rows_digest(settings())


def test_the_order_of_streams_is_part_of_the_rows() -> None:
    assert rows_digest(from_document({"stream": [HOTEL, AIRLINE_TABLE]})) != rows_digest(settings())


def test_a_release_with_new_settings_leaves_the_digest_of_an_old_file() -> None:
    """Measured before any setting was added: an upgrade alone is no change of settings."""
    assert rows_digest(settings()) == "82265375ba4520f0c5311ce34561f70f99c8b8d71718d81eac503200c4dd5a0e"


@pytest.mark.parametrize("default", [{"split_by": "prompt"}])
def test_a_newer_setting_counts_where_it_is_not_at_its_default(default: dict[str, Any]) -> None:
    assert rows_digest(settings(export=default)) == rows_digest(settings())
    assert rows_digest(settings(export={"split_by": "task"})) != rows_digest(settings())


# docs/settings.md says what the model says

STREAM = StreamSettings.model_validate({"name": "s", "path": "s.jsonl", "preset": "p"})


def test_every_key_has_its_row_with_a_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", page(), re.MULTILINE)
    keys = {name.rpartition(".")[2] for name, _, _ in leaves(Settings(streams=(STREAM,)))}
    assert keys <= {key for key, *_ in rows}
    assert all(cell for row in rows for cell in row)
