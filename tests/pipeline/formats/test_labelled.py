"""All labelled runs: accepted is true, rejected false, and what is nobody's example is out."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.formats.format import Row
from tests.pipeline.formats.test_folders import folder, write


def lines(workspace: Path, name: str = "trl-unpaired") -> list[Row]:
    write(workspace, f"{name}:jsonl")
    return [
        orjson.loads(line)
        for path in sorted(folder(workspace, name).glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def answers(made: list[Row]) -> dict[str, bool]:
    return {row["completion"][-1]["content"]: row["label"] for row in made}


def test_runs_without_a_partner_are_in_and_those_without_a_label_are_not(workspace: Path) -> None:
    labels = answers(lines(workspace))
    assert labels["fine"] is True
    assert labels["poor"] is False
    assert labels["right a"] is True
    assert labels["wrong a"] is False
    assert not labels.keys() & {"half", "contradicted"}


def test_every_run_has_a_row_or_a_reason(workspace: Path) -> None:
    (written,) = write(workspace, "trl-unpaired")
    runs = sum(
        len((workspace / paths.evidence_file(stream)).read_bytes().splitlines())
        for stream in ("runs", "chats")
    )
    assert (
        sum(each["output"]["rows"] for each in written.receipts) + sum(written.files.refused.values()) == runs
    )
    assert written.files.refused == {"category_not_allowed": 1, "conflicting_verdict": 2}


def test_a_conversation_is_asked_up_to_its_last_answer(workspace: Path) -> None:
    row = next(row for row in lines(workspace) if row["prompt"][0]["content"] == "How is node 1?")
    assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "tool"]
    assert [message["role"] for message in row["completion"]] == ["assistant"]
    assert "look" in row["tools"]


def test_all_turns_are_the_answer_where_the_settings_say_so(workspace: Path) -> None:
    settings = workspace / "distill.toml"
    settings.write_text(settings.read_text() + '\n[export.preference]\ncompletion = "turns"\n')
    row = next(row for row in lines(workspace) if row["prompt"][0]["content"] == "How is node 1?")
    assert [message["role"] for message in row["completion"]] == ["assistant", "tool", "assistant"]


def test_its_receipt_names_every_file_that_was_read(workspace: Path) -> None:
    (written,) = write(workspace, "trl-unpaired")
    assert {each["export"] for each in written.receipts} == {"labelled"}
    assert {source["path"] for source in written.receipts[0]["sources"]} == {
        str(place(stream))
        for place in (paths.evidence_file, paths.scored_file)
        for stream in ("runs", "chats")
    }


@pytest.mark.parametrize("flag", ["truncated", "environment_error"])
def test_a_run_that_was_cut_off_is_no_example(flag: str) -> None:
    from pipeline.settings.model import ExportSettings
    from pipeline.stages.export_preference import side_refusal
    from pipeline.stages.sample import read_sample
    from tests.pipeline.stages.builders import evidence

    refusal = side_refusal(read_sample(evidence(flags=[flag])), ExportSettings())
    assert refusal is not None
    assert refusal.reason.value == flag
    assert side_refusal(read_sample(evidence()), ExportSettings()) is None
