"""Tokens are counted by the tokenizer that is named, and a row is held to its limit by that count."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.engine.render_check import load_render_check
from pipeline.engine.row_builder import RowBuilder
from pipeline.engine.tokenizer import TokenCounter, load_tokenizer
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.settings.model import Settings, from_document
from tests.pipeline.engine.workspaces import SETTINGS, engine, make_workspace, rows, run_all
from tests.pipeline.stages.builders import evidence, turn

WORDS = TokenCounter("0" * 64, lambda text: len(text.split()))
STREAM = {"name": "shell", "path": "a.jsonl", "fields": {"task_id": "id"}}
FLAT = evidence(instruction="one two three", context="four five", response="six", verdict="pass")
CALL = {"id": "c", "name": "look", "arguments": '{"at": 1}'}
TALK = evidence(
    messages=[
        turn("user", "one two"),
        turn("assistant") | {"tool_calls": [CALL]},
        turn("tool", "up"),
        turn("assistant", "It is up."),
    ],
    tools='[{"name": "look"}]',
    verdict="pass",
)


def settings(**limits: Any) -> Settings:
    return from_document({"stream": [STREAM], "export": limits})


def built(run: dict[str, Any], counter: TokenCounter | None, **limits: Any) -> tuple[list[Any], list[str]]:
    """The rows of RAG and SFT, and how the three exports refused the run."""
    chosen = settings(**limits)
    builder = RowBuilder(chosen, chosen.streams[0], EvaluationIndex(), None, counter)
    entry = builder.add(run)
    made = [json.loads(section) if section else None for section in builder.sections()[2:]]
    return made, [entry.rag_refusal, entry.sft_refusal, entry.preference_refusal]


def test_a_row_carries_the_tokens_that_were_counted() -> None:
    (playbook, sft), refused = built(FLAT, WORDS)
    assert refused == ["", "", ""]
    assert sft["estimated_tokens"] == 6 + 3 * 4
    assert playbook["estimated_tokens"] == len(playbook["content"].split()) + 4
    assert built(FLAT, None)[0][1]["estimated_tokens"] == 19  # 25 bytes by four, and three messages


def test_a_conversation_counts_its_calls_and_tools() -> None:
    (_, sft), _ = built(TALK, WORDS)
    words = sum(
        len(turn[name].split()) for turn in sft["messages"] for name in ("content", "reasoning", "tool_calls")
    )
    assert sft["estimated_tokens"] == words + len(sft["tools"].split()) + 4 * 4
    assert words > 6


@pytest.mark.parametrize(("most", "is_refused"), [(17, True), (18, False)])
def test_the_limit_is_held_to_the_count_on_both_sides(most: int, is_refused: bool) -> None:
    _, refused = built(FLAT, WORDS, sft={"max_tokens": most}, preference={"max_tokens": most})
    said = f"too_long\0{18} tokens, max_tokens is {most}" if is_refused else ""
    assert refused == ["", said, said]


def test_an_estimate_refuses_nothing_where_tokens_are_counted() -> None:
    long = evidence(instruction="Say it.", response="a" * 1000, verdict="pass")
    assert built(long, None, sft={"max_tokens": 100})[1][1].startswith("too_long")
    assert built(long, WORDS, sft={"max_tokens": 100})[1][1] == ""


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("missing.json", "No such file or directory"),
        ("../outside.json", "it lies outside the workspace"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_named(tmp_path: Path, named: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_tokenizer(tmp_path, settings(tokenizer=named))
    assert why in caught.value.fault.what_happened
    assert "[export] tokenizer" in caught.value.fault.what_happened


def test_no_tokenizer_is_an_estimate(tmp_path: Path) -> None:
    assert load_tokenizer(tmp_path, settings()) is None


# With the library: it comes with the optional groups `tokenizer` and `trainers`.


def words_of(path: Path) -> None:
    """A tokenizer.json whose tokens are words, with a truncation that a row must not meet."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")  # noqa: S106
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(path))


def test_a_run_counts_by_the_tokenizer_that_its_settings_name(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    words_of(workspace / "tokenizer.json")
    plain = run_all(workspace)["run_hash"]
    (workspace / paths.SETTINGS).write_text('[export]\ntokenizer = "tokenizer.json"\n' + SETTINGS)
    assert run_all(workspace)["run_hash"] != plain
    for row in rows(workspace, paths.SFT_EXPORT):
        words = sum(
            len(turn[name].split())
            for turn in row["messages"]
            for name in ("content", "reasoning", "tool_calls")
        )
        assert row["estimated_tokens"] == words + 4 * len(row["messages"])
    counted = run_all(workspace, "--workers", "1", "--chunk-bytes", "1KiB", "--no-cache")["run_hash"]
    assert counted == run_all(workspace, "--no-cache")["run_hash"]
    assert engine(workspace, "card").returncode == 0
    card = (workspace / paths.DATASET_CARD).read_text(encoding="utf-8")
    assert "Counted with the tokenizer tokenizer.json" in card


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(SettingsError, match="it is no tokenizer"):
        load_tokenizer(tmp_path, settings(tokenizer="t.json"))


@pytest.mark.parametrize("name", ["tokenizer", "render_check"])
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    read = {"tokenizer": load_tokenizer, "render_check": load_render_check}[name]
    with pytest.raises(SettingsError, match="pipe: it is no plain file"):
        read(tmp_path, settings(**{name: "pipe"}))
