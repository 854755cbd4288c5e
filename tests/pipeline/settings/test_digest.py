"""Which settings change a digest, and which must not."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.settings.digest import rows_digest, stream_digest
from pipeline.settings.model import Settings, from_document

AIRLINE = {"name": "airline", "path": "a.jsonl", "fields": {"task_id": "id", "reward": "reward"}}
HOTEL = {"name": "hotel", "path": "h.jsonl", "fields": {"task_id": "id"}}


def settings(**sections: Any) -> Settings:
    return from_document({"stream": [AIRLINE, HOTEL], **sections})


def airline(**changes: Any) -> dict[str, Any]:
    return {"stream": [{**AIRLINE, **changes}, HOTEL]}


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
    alone = from_document({"stream": [AIRLINE]})
    assert stream_digest(alone, alone.streams[0]) == stream_digest(settings(), settings().streams[0])
    assert rows_digest(alone) != rows_digest(settings())


def test_the_order_of_streams_is_part_of_the_rows() -> None:
    assert rows_digest(from_document({"stream": [HOTEL, AIRLINE]})) != rows_digest(settings())


def test_a_release_with_new_settings_leaves_the_digest_of_an_old_file() -> None:
    """Measured before any setting was added: an upgrade alone is no change of settings."""
    assert rows_digest(settings()) == "82265375ba4520f0c5311ce34561f70f99c8b8d71718d81eac503200c4dd5a0e"


@pytest.mark.parametrize("default", [{"split_by": "prompt"}])
def test_a_newer_setting_counts_where_it_is_not_at_its_default(default: dict[str, Any]) -> None:
    assert rows_digest(settings(export=default)) == rows_digest(settings())
    assert rows_digest(settings(export={"split_by": "task"})) != rows_digest(settings())
