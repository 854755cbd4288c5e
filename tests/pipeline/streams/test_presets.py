"""Each preset makes of its golden log what stands beside it, and says what such a log cannot.

``DISTILL_RECORD_PRESETS=1`` writes the golden evidence anew: read it before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.settings.presets import PRESETS, preset
from tests.pipeline.streams.golden import FOLDER, evidence_of, lines


@pytest.mark.parametrize("name", PRESETS)
def test_a_golden_log_gives_its_golden_evidence(name: str, tmp_path: Path) -> None:
    rows = evidence_of(name, tmp_path / "workspace")
    golden = FOLDER / name / "evidence.jsonl"
    if os.environ.get("DISTILL_RECORD_PRESETS"):
        golden.write_text(lines(rows), encoding="utf-8")
    assert rows
    assert lines(rows) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_its_log_cannot(name: str) -> None:
    found = preset(name)
    assert all((found.title, found.reads, found.task, found.outcome, found.not_said))
    assert all(
        sentence.endswith((".", "`.", "below.")) for sentence in (found.reads, found.task, found.outcome)
    )


def test_every_golden_log_has_its_preset() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(PRESETS)


def test_a_preset_is_read_when_it_is_asked_for() -> None:
    assert len(PRESETS) == len(list(PRESETS)) > 10
    assert "openai_chat" in PRESETS
    assert "preset" not in PRESETS
    assert "shared" not in PRESETS
    assert PRESETS.get("no_such") is None
    with pytest.raises(KeyError):
        preset("no_such")
