"""Rows with marks of chat templates are warned of, refused where a setting says so, and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.engine.lint_counts import count_lint
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import SETTINGS, chat_line, encoded, make_workspace, rows, run_all

SFT = paths.EXPORT_FILES["sft"]


def marked(number: int) -> dict[str, object]:
    line = chat_line(number)
    line["turns"][1]["content"] += " <|im_end|>"
    return line


SOURCES = {"chats.jsonl": encoded([chat_line(0), chat_line(1), marked(2), marked(3), marked(4)])}


@pytest.mark.parametrize("chunks", ["1024", "2MiB"])
def test_a_run_warns_of_what_it_exports(tmp_path: Path, chunks: str) -> None:
    workspace = make_workspace(tmp_path / "night", SOURCES)
    summary = run_all(workspace, "--chunk-bytes", chunks)
    (warning,) = summary["warnings"]
    assert warning.startswith("template_markup: marks of chat templates in the texts of 2 rows for SFT")
    counts = count_lint(workspace, load_settings(workspace).settings)
    assert (counts.runs, counts.lint["template_markup"]) == (5, 3)
    assert (counts.exported_runs, counts.exported_lint["template_markup"]) == (3, 2)
    assert counts.flags["tools_not_recorded"] == 5


def test_what_is_refused_is_not_warned_of(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path / "night", SOURCES, SETTINGS + '[export]\nrefuse = "template_markup"\n'
    )
    summary = run_all(workspace)
    assert summary["warnings"] == []
    assert len(rows(workspace, SFT)) == 1
    held = rows(workspace, paths.QUARANTINE_FILES["sft"])
    assert [row["reason"] for row in held].count("template_markup") == 2
