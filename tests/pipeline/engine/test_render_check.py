"""``[export] render_check`` keeps out what a model's chat template refuses, and changes with its bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from tests.pipeline.engine.workspaces import (
    SETTINGS,
    chat_line,
    encoded,
    engine,
    flat_line,
    make_workspace,
    rows,
    run_all,
)

SFT, HELD = paths.EXPORT_FILES["sft"], paths.QUARANTINE_FILES["sft"]
PAIRS = paths.EXPORT_FILES["preference"]
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
SOURCES = {
    "chats.jsonl": encoded([chat_line(number) for number in range(4)]),
    "runs.jsonl": encoded([flat_line(number) for number in range(3)]),
}


def with_template(root: Path, text: str, name: str = "chat.jinja") -> Path:
    settings = SETTINGS + f'[export]\nrender_check = "{name}"\n'
    workspace = make_workspace(root / "night", SOURCES, settings)
    (workspace / name).write_text(text)
    return workspace


@pytest.mark.parametrize("name", ["chat.jinja", "tokenizer_config.json"])
def test_what_the_template_refuses_is_held(tmp_path: Path, name: str) -> None:
    text = NO_SYSTEM if name.endswith("jinja") else json.dumps({"chat_template": NO_SYSTEM})
    workspace = with_template(tmp_path, text, name)
    run_all(workspace)
    assert {row["stream"] for row in rows(workspace, SFT)} == {"runs"}
    held = [row for row in rows(workspace, HELD) if row["reason"] == "template_would_refuse"]
    assert {(row["stream"], row["detail"]) for row in held} == {("chats", "raise_exception")}
    assert {row["stream"] for row in rows(workspace, PAIRS)} == {"runs"}
    # Another template under the same name: nothing of the cache holds.
    (workspace / name).write_text("{}" if name.endswith("jinja") else '{"chat_template": ""}')
    run_all(workspace)
    assert {row["stream"] for row in rows(workspace, SFT)} == {"runs", "chats"}
    assert {row["stream"] for row in rows(workspace, PAIRS)} == {"runs", "chats"}
    wanted = (workspace / str(SFT)).read_bytes()
    assert engine(workspace, "export", "--recorded-at", "2026-01-01T00:00:00Z").returncode == ExitCode.OK
    assert (workspace / str(SFT)).read_bytes() == wanted


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("chat.jinja", "{% if %}", "it is no chat template (line 1"),
        ("tokenizer_config.json", "{}", "it is no chat template (it has no chat_template)"),
        ("tokenizer_config.json", "{", "it is no chat template"),
    ],
)
def test_a_template_that_cannot_be_used_stops_the_run(tmp_path: Path, name: str, text: str, why: str) -> None:
    done = engine(with_template(tmp_path, text, name), "run-all")
    assert done.returncode == ExitCode.USAGE
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_template_that_is_not_there_or_outside(tmp_path: Path) -> None:
    workspace = with_template(tmp_path, "")
    (workspace / "chat.jinja").unlink()
    assert "No such file" in engine(workspace, "run-all").stderr
    (tmp_path / "outside.jinja").write_text("")
    (workspace / "chat.jinja").symlink_to(tmp_path / "outside.jinja")
    done = engine(workspace, "run-all")
    assert "it lies outside the workspace" in done.stderr
    assert not (workspace / str(SFT)).exists()
