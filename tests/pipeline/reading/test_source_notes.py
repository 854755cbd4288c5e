"""Which note stands on a source without rows: the last whole one of its stream, until a run read it again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.contracts import paths
from pipeline.reading import source_notes
from pipeline.reading.source_notes import SourceNote, note_line, standing_note

AT = "2026-01-02T03:04:05Z"
SECONDS = 1767323045.0
EARLIER, LATER = "2026-01-02T03:04:04Z", "2026-01-02T03:04:06Z"


def written(root: Path, *lines: str) -> Path:
    path = root / paths.SOURCE_NOTES
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return root


def runs(monkeypatch: pytest.MonkeyPatch, *told: tuple[str | None, int]) -> None:
    """The newest first: when each began, and how many lines of the stream it read."""
    made = [
        SimpleNamespace(summary={"started_at": began}, counts_of=lambda _, lines=lines: {"lines": lines})
        for began, lines in told
    ]
    monkeypatch.setattr(source_notes, "committed_runs", lambda _root, _most: made)


def test_a_note_says_who_when_and_why(tmp_path: Path) -> None:
    root = written(tmp_path, note_line("chats", "the tool is gone", "mira", AT))
    note = standing_note(root, "chats")
    assert note == SourceNote("chats", "the tool is gone", "mira", SECONDS)
    assert note.words == "accepted by mira on 2026-01-02: the tool is gone"


def test_the_last_one_of_the_stream_stands(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        note_line("chats", "first", "mira", AT),
        note_line("runs", "another stream", "mira", AT),
        note_line("chats", "second", "jun", EARLIER),
        note_line("runs", "once more", "jun", LATER),
    )
    assert standing_note(root, "chats") == SourceNote("chats", "second", "jun", SECONDS - 1)
    assert standing_note(root, "mails") is None


@pytest.mark.parametrize(
    "line",
    [
        '{"stream": "chats", "note": 3, "by": "jun", "at": "2026-01-02T03:04:06Z"}',
        '{"stream": "chats", "by": "jun", "at": "2026-01-02T03:04:06Z"}',
        '{"stream": "chats", "note": "without a time", "by": "jun"}',
        '{"stream": "chats", "note": "at no time", "by": "jun", "at": "soon"}',
        '{"note": "of no stream", "by": "jun", "at": "2026-01-02T03:04:06Z"}',
        '{"stream": "cha',
        "[]",
    ],
)
def test_a_line_that_is_no_note_accepts_nothing(tmp_path: Path, line: str) -> None:
    assert standing_note(written(tmp_path, line), "chats") is None
    whole = note_line("chats", "the tool is gone", "mira", AT)
    assert standing_note(written(tmp_path, whole, line), "chats") == SourceNote(
        "chats", "the tool is gone", "mira", SECONDS
    )


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ((), True),
        (((LATER, 0),), True),
        (((LATER, 5),), False),
        (((AT, 5),), True),
        (((EARLIER, 5),), True),
        (((LATER, 0), (LATER, 5)), False),
        (((LATER, 0), (EARLIER, 5)), True),
        (((None, 5), (LATER, 5)), True),
    ],
)
def test_a_note_stands_until_a_run_that_began_after_it_read_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[tuple[str | None, int], ...], stands: bool
) -> None:
    runs(monkeypatch, *told)
    root = written(tmp_path, note_line("chats", "the tool is gone", "mira", AT))
    assert (standing_note(root, "chats") is not None) is stands


def test_one_without_a_name_is_somebodys(tmp_path: Path) -> None:
    root = written(tmp_path, note_line("chats", "gone", "", AT))
    note = standing_note(root, "chats")
    assert note is not None
    assert note.by == "somebody"
