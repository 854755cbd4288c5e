"""What a run says of sources that it could not use: each by name, none that is left out on purpose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.contracts.skips import SkipReason
from pipeline.engine.source_plan import state_key
from pipeline.engine.source_warnings import warn_of_sources

FILTERED, DUPLICATE, BLANK = SkipReason.FILTERED_OUT, SkipReason.DUPLICATE_LINE, SkipReason.BLANK_LINE
BAD = SkipReason.MALFORMED_JSON


def source(name: str = "a.jsonl", stream: str = "runs", **changed: Any) -> Any:
    known = {"rows": 3, "used": 3, "size": 9, "damage": "", "skips": Counter(), "is_read_by_items": False}
    file = SimpleNamespace(relative=f"data/{name}", path=Path("/nowhere") / name)
    return SimpleNamespace(stream=stream, file=file, **{**known, **changed})


def said(
    *sources: Any, refused: dict[tuple[str, str], str] | None = None, before: dict[str, Any] | None = None
) -> list[str]:
    warned: list[str] = []
    session: Any = SimpleNamespace(warn=warned.append)
    troubles: Any = SimpleNamespace(refused=refused or {})
    warn_of_sources(session, troubles, sources, before or {})
    return warned


def test_a_source_that_lost_bytes_since_the_last_run_is_told() -> None:
    """Copied anew and cut off, or rotated: its rows leave the exports, and few of many is below any bound."""
    before = {
        state_key("runs", "data/a.jsonl"): SimpleNamespace(bytes=5210),
        state_key("runs", "data/b.jsonl"): SimpleNamespace(bytes=9),
    }
    assert said(source(), source("b.jsonl"), source("new.jsonl"), before=before) == [
        "source: runs: data/a.jsonl became shorter: 9 bytes, 5,210 in the last run; rows of what it lost "
        "are gone"
    ]


def test_sources_that_are_used_are_not_spoken_of() -> None:
    assert said(source(), source(rows=0, used=0)) == []


@pytest.mark.parametrize(
    ("skips", "is_told"),
    [
        ({FILTERED: 3}, False),
        ({DUPLICATE: 2, BLANK: 1}, False),
        ({BAD: 3}, True),
        ({FILTERED: 2, BAD: 1}, True),
        ({BLANK: 2, BAD: 1}, True),
    ],
)
def test_a_file_of_which_nothing_is_used_is_told_unless_all_of_it_was_left_out_on_purpose(
    skips: dict[SkipReason, int], is_told: bool
) -> None:
    warned = said(source(used=0, skips=Counter(skips)))
    assert len(warned) == is_told
    if is_told:
        assert warned[0].startswith("source: runs: data/a.jsonl: none of its 3 lines could be used (")
        assert f"{BAD} {skips[BAD]}" in warned[0]
    assert said(source(used=1, skips=Counter(skips))) == []


def test_damage_is_told_with_how_far_the_file_is_used() -> None:
    assert said(source(damage="the archive ends early"), source("b.jsonl", used=0, damage="torn")) == [
        "source: runs: data/a.jsonl is used in part: the archive ends early",
        "source: runs: data/b.jsonl is not used: torn",
    ]


def test_a_file_that_was_refused_is_named_first_and_without_hidden_characters() -> None:
    refused = {("runs", "data/a\x1b[2J.jsonl"): "it is a pipe"}
    assert said(source(damage="torn"), refused=refused) == [
        "source: runs: data/a\\x1b[2J.jsonl is not read: it is a pipe",
        "source: runs: data/a.jsonl is used in part: torn",
    ]


@pytest.mark.parametrize(("files", "more"), [(20, 0), (21, 1), (23, 3)])
def test_twenty_files_are_named_and_the_others_counted(files: int, more: int) -> None:
    warned = said(*(source(f"{number}.jsonl", damage="torn") for number in range(files)))
    assert len(warned) == 20 + (more > 0)
    if more:
        assert warned[-1].startswith(f"source: {more} more file")
        assert warned[-1].endswith(": distill streams check")


def test_a_document_among_files_of_lines_is_asked_about_and_one_of_its_kind_is_not() -> None:
    documents = [source(f"{number}.json", is_read_by_items=True) for number in range(5)]
    assert said(*documents) == []
    assert said(*documents[:3], source()) == [
        "source: runs: among files of JSON Lines, read by its items: data/0.json, data/1.json, data/2.json"
    ]
    assert said(*documents, source())[0].endswith("data/2.json and 2 more")
    assert said(*documents, source(stream="other")) == []
