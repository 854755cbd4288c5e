"""The dataset card: counts that agree with the exports, hostile names made harmless."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.card import CardContext, ExportFacts, FormattedFile, Licence, dataset_card
from pipeline.card.context import Lint
from pipeline.card.licences import hub_id
from pipeline.cli import main
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode

# Comes with a development dependency; it has no types of its own.
yaml: Any = pytest.importorskip("yaml")

RUN = "20260101T000000Z-0a1b"
HASH = "ab" * 32
STREAM_COUNTS = {
    "lines": 5, "mapped": 4, "looked_up": 0, "skipped": 1, "evidence": 4,
    "accepted": 2, "partially_accepted": 1, "needs_human_review": 0, "rejected": 1,
}  # fmt: skip
SUMMARY: dict[str, Any] = {
    "pipeline_run_id": RUN,
    "ok": True,
    "run_hash": HASH,
    "recorded_at": "2026-01-01T00:00:00Z",
    "finished_at": "2026-01-01T00:00:01Z",
    "settings_digest": "cd" * 32,
    "engine": {"version": "0.1.0", "digest": "ef" * 32, "source": "installed"},
    "git": {"head": "12" * 20, "branch": "main", "dirty": True},
    "streams": {"shell": STREAM_COUNTS, "names": STREAM_COUNTS},
    "stages": [
        {"stage": "export", "receipt": f"reports/distillation/{RUN}/receipts/export.json"},
    ],
}


def export_row(**fields: Any) -> dict[str, Any]:
    return {"estimated_tokens": 10, "split": "train", "stream": "shell", "model_name": "model-a"} | fields


def facts(*rows: dict[str, Any], **refused: int) -> ExportFacts:
    counted = ExportFacts()
    for row in rows:
        counted.take(row)
    counted.refused.update(refused)
    return counted


def licensed(names: dict[str, str | None]) -> CardContext:
    return CardContext(licences={stream: Licence(name) for stream, name in names.items()})


EXPORTS = {
    "rag": facts(export_row(source_category="accepted"), category_not_allowed=1, duplicate_sample=2),
    "sft": facts(
        export_row(quality_score="accepted"),
        export_row(quality_score="partially_accepted", split="validation", model_name=None),
        too_long=2,
    ),
    "preference": facts(
        {
            "estimated_tokens": 30,
            "split": "train",
            "stream": "shell",
            "reason": "accepted_over_rejected",
            "chosen_model_name": "model-a",
            "rejected_model_name": "model-b",
        },
        no_counterpart=2,
    ),
}


def test_the_card_counts_rows_splits_streams_models_and_refusals() -> None:
    card = dataset_card("demo", SUMMARY, EXPORTS, licensed({"shell": "MIT"}))
    for line in (
        "| `sft/instruction_response.jsonl` | 2 | 1 | 1 | 20 | accepted 1, partially\\_accepted 1 |",
        "| shell | 5 | 4 | 2 | 1 | 0 | 1 | 1 | 2 | 1 | MIT |",
        "| model-a | 1 | 1 | 1 |",
        "| (not recorded) | 0 | 1 | 0 |",
        "| `too_long` | 0 | 2 | 0 |",
        f"| run_hash | {HASH} |",
    ):
        assert line in card.splitlines()
    assert "| names |" not in card  # a look-up has no rows of its own


def front_of(card: str) -> dict[str, Any]:
    front: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return front


def test_the_front_matter_is_yaml_with_licences_tasks_and_a_config_an_export() -> None:
    card = dataset_card(
        'a "name": #1', SUMMARY, EXPORTS, licensed({"shell": "MIT", "names": "Apache License 2.0"})
    )
    front = front_of(card)
    assert front["pretty_name"] == 'a "name": #1'
    assert front["license"] == ["apache-2.0", "mit"]
    assert front["task_categories"] == ["text-generation", "text-retrieval"]
    assert front["size_categories"] == ["n<1K"]
    assert front["configs"][1] == {
        "config_name": "sft",
        "data_files": [{"split": "mixed", "path": "sft/instruction_response.jsonl"}],
    }
    unknown = front_of(dataset_card("x", SUMMARY, EXPORTS, licensed({"shell": None})))
    assert unknown["license"] == ["unknown"]
    assert "license_name" not in unknown


def test_a_format_that_is_one_file_a_split_is_mapped_so() -> None:
    files = (
        FormattedFile("chat-jsonl", "sft", "formatted/sft.chat-jsonl.jsonl", "train"),
        FormattedFile("chat-jsonl", "sft", "formatted/sft.chat-jsonl.validation.jsonl", "validation"),
        FormattedFile("trl-preference", "preference", "formatted/preference.trl-preference.jsonl", None),
    )
    configs = front_of(dataset_card("x", SUMMARY, EXPORTS, CardContext(formatted=files)))["configs"]
    by_name = {config["config_name"]: config["data_files"] for config in configs}
    assert [file["split"] for file in by_name["sft.chat-jsonl"]] == ["train", "validation"]
    assert by_name["preference.trl-preference"] == [
        {"split": "mixed", "path": "formatted/preference.trl-preference.jsonl"}
    ]


def test_a_licence_that_the_hub_does_not_know_is_other_with_name_and_link() -> None:
    link = "https://example.com/" + "licence/" * 20
    licences = {"a": Licence("House Rules 7", link), "b": Licence("CC BY 4.0")}
    front = front_of(dataset_card("x", SUMMARY, EXPORTS, CardContext(licences=licences)))
    assert front["license"] == ["cc-by-4.0", "other"]
    assert (front["license_name"], front["license_link"]) == ("House Rules 7", link)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("MIT", "mit"), ("MIT License", "mit"), ("Apache-2.0", "apache-2.0"), ("Apache 2", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"), ("CC BY 4.0", "cc-by-4.0"),
        ("CC-BY-SA-4.0", "cc-by-sa-4.0"), ("CC BY-NC 4.0 International", "cc-by-nc-4.0"), ("CC0", "cc0-1.0"),
        ("GPL-3.0-only", "gpl-3.0"), ("GPL v3", "gpl-3.0"), ("LGPL-2.1-or-later", "lgpl-2.1"),
        ("BSD 3-Clause", "bsd-3-clause"), ("ODC-By 1.0", "odc-by"), ("Llama3.1", "llama3.1"),
        ("MIT, Copyright (c) 2024 Sierra", "mit"), ("CC BY 4.0 (Google)", "cc-by-4.0"),
        ("Mine, all mine", "other"), ("CC BY 4.0, research use only", "other"),
        ("CC BY 4.0 (non-commercial)", "other"), ("unknown", "unknown"),
        ("MIT-0", "other"), ("Proprietary", "other"), ("CC BY 5.0", "other"),
    ],
)  # fmt: skip
def test_licences_by_the_ids_of_the_hub(name: str, known: str) -> None:
    assert hub_id(name) == known


def test_what_nobody_looked_at_is_not_checked_and_never_clear() -> None:
    card = dataset_card("x", SUMMARY, EXPORTS, CardContext())
    for line in (
        "| rejected answers in `sft` (the firewall) | *not checked* |",
        "| conversations (lint) | *not checked* |",
        "| evaluation sets | *not checked*: no set is declared |",
        "| near-duplicates | *not checked* |",
    ):
        assert line in card.splitlines()
    absent = dataset_card("x", SUMMARY, EXPORTS, CardContext(firewall="ABSENT"))
    assert "(the firewall) | *not checked* |" in absent


ONE_SET = {"name": "held out", "items": 12, "sides": 24, "sides_too_short": 0, "rows_refused": 3}


def test_what_was_looked_at_is_counted() -> None:
    checked = CardContext(
        firewall="CLEAR",
        lint=Lint(7, Counter(empty_turn=2), Counter(tools_not_recorded=1, exits_early=3)),
        decontamination={"checked": True, "sets": [ONE_SET], "rows": []},
    )
    held = {"sft": facts(export_row(quality_score="accepted", response="Mail ann@acme.io"), pii_found=2)}
    lines = dataset_card("x", SUMMARY, held, checked).splitlines()
    for line in (
        "| rejected answers in `sft` (the firewall) | checked; CLEAR |",
        "| conversations (lint) | checked; 7 runs in `sft`: empty\\_turn 2, tools\\_not\\_recorded 1 |",
        "| signs of a reward hack in `sft` | checked for known forms; 7 runs: exits\\_early 3 |",
        "| evaluation sets | checked: 1 set, see below |",
        "| personal data of known forms | checked; 1 row holds some (email 1), 2 refusals |",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("lengths", "cells"),
    [
        (range(1, 101), "50 | 95 | 99 | 100"),
        ([7], "7 | 7 | 7 | 7"),
        ([], "0 | 0 | 0 | 0"),
        (range(1, 1001), "500 | 950 | 990 | 1,000"),
    ],
)
def test_lengths_are_told_by_rank(lengths: Iterable[int], cells: str) -> None:
    rows = [export_row(quality_score="accepted", estimated_tokens=length) for length in lengths]
    assert f"| sft | {cells} |" in dataset_card("x", SUMMARY, {"sft": facts(*rows)}, CardContext())


def test_questions_on_both_sides_are_counted_by_both_rules() -> None:
    """Two streams over one benchmark: by prompt no question is on both sides, by task about half are."""
    counted = ExportFacts(validation_share=0.5)
    for stream in ("one", "two"):
        for number in range(60):
            texts = {"instruction": f"What is {number}?", "context": "", "messages": []}
            counted.take(export_row(quality_score="accepted", stream=stream, task_id=str(number), **texts))
    assert counted.questions == 60
    assert counted.on_both_sides("prompt") == 0
    assert 15 < counted.on_both_sides("task") < 45
    card = dataset_card("x", SUMMARY, {"sft": counted}, CardContext(split_by="prompt"))
    assert "| by prompt (in force) | 60 | 0 |" in card


def test_pass_rates_count_each_task_once() -> None:
    rows = [
        export_row(quality_score="accepted", task_id=task, passed=passed, attempts=4)
        for task, passed in (("a", 4), ("a", 4), ("b", 1), ("c", 0))
    ]
    card = dataset_card("x", SUMMARY, {"sft": facts(*rows)}, CardContext())
    assert "| sft | 3 | 12 | 5 (42%) | 1 | 1 | 1 |" in card
    assert "Not recorded in these rows." in dataset_card("x", SUMMARY, EXPORTS, CardContext())


def test_an_estimate_says_that_it_is_one() -> None:
    estimated = dataset_card("x", SUMMARY, EXPORTS, CardContext())
    assert "Estimated: bytes of UTF-8" in estimated
    assert "- Token counts are estimates." in estimated
    counted = dataset_card("x", SUMMARY, EXPORTS, CardContext(tokenizer="models/tokenizer.json"))
    assert "Counted with the tokenizer models/tokenizer.json" in counted
    assert "estimate" not in counted.lower()


@pytest.mark.parametrize(
    "name",
    [
        "](http://evil) <script>alert(1)</script>",
        "| cell |\n# heading",
        "\x1b[31mred\u202e",
        "`code` **bold** ~~gone~~ [x](y)",
        "a" * 500,
    ],
)
def test_a_hostile_model_name_stays_one_plain_cell(name: str) -> None:
    hostile = {"rag": facts(export_row(source_category="accepted", model_name=name))}
    card = dataset_card("demo", SUMMARY, hostile, licensed({"shell": name}))
    front, body = card.split("---\n", 2)[1:]
    assert yaml.safe_load(front)["license"]
    row = next(line for line in body.splitlines() if line.endswith("| 1 |") and "shell" not in line)
    assert len(row.replace("\\|", "").split("|")) == 4
    assert len(row) < 400
    assert card.replace("\n", "").isprintable()
    for live in ("http://", "<script>", "**bold**", "~~", "`code`"):
        assert live not in body


def test_evaluation_sets_that_nobody_declared_were_not_checked() -> None:
    for report in (None, {"checked": False, "sets": [], "rows": []}):
        card = dataset_card("demo", SUMMARY, EXPORTS, CardContext(decontamination=report))
        section = card.split("## Evaluation sets")[1]
        assert section.strip().startswith("Evaluation sets: **not checked**, none is declared.")


def test_declared_evaluation_sets_are_told_with_what_was_refused_and_kept() -> None:
    one = {"name": "a|b", "items": 1_200, "sides": 2_400, "sides_too_short": 3, "rows_refused": 2}
    rows = [{"set": "a|b", "refused": True}] * 2 + [{"set": "a|b", "refused": False}]
    report = {"checked": True, "sets": [one], "rows": rows}
    card = dataset_card("demo", SUMMARY, EXPORTS, CardContext(decontamination=report))
    assert "\nEvaluation sets: checked (1 set, 2 rows quarantined).\n" in card
    assert "| a\\|b | 1,200 | 2,400 | 3 | 2 | 1 |" in card.splitlines()


def test_the_same_facts_give_the_same_card() -> None:
    assert dataset_card("demo", SUMMARY, EXPORTS, CardContext()) == dataset_card(
        "demo", SUMMARY, EXPORTS, CardContext()
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Exports, quarantine, receipt and summary as a run would leave them."""
    (tmp_path / paths.SETTINGS).write_text(
        '[workspace]\nname = "night shift"\n[[stream]]\nname = "shell"\npath = "data/_kb/shell.jsonl"\n'
        'license = "MIT"\n[stream.fields]\ntask_id = "id"\n',
        encoding="utf-8",
    )
    files = {
        paths.RAG_EXPORT: [export_row(source_category="accepted")],
        paths.SFT_EXPORT: [export_row(quality_score="accepted")],
        paths.PREFERENCE_EXPORT: [],
        paths.RAG_QUARANTINE: [{"reason": "too_long"}],
        paths.SFT_QUARANTINE: [],
        paths.PREFERENCE_QUARANTINE: [{"reason": "no_counterpart"}],
    }
    claims = []
    for relative, rows in files.items():
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        claims.append({"path": str(relative), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    receipt = tmp_path / SUMMARY["stages"][0]["receipt"]
    receipt.parent.mkdir(parents=True)
    receipt.write_bytes(orjson.dumps({"stage": "export", "outputs": claims}))
    summary = tmp_path / paths.summary_file(RUN)
    summary.write_bytes(orjson.dumps(SUMMARY | {"streams": {"shell": STREAM_COUNTS}}))
    return tmp_path


def test_the_command_writes_the_card_beside_the_exports(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", "-C", str(workspace)]) == ExitCode.OK
    assert capsys.readouterr().out == f"exports/README.md  run {RUN}\n"
    card = (workspace / paths.DATASET_CARD).read_text(encoding="utf-8")
    assert "# night shift" in card
    assert "| `no_counterpart` | 0 | 0 | 1 |" in card


def test_a_failed_run_is_not_the_one_that_the_card_describes(workspace: Path) -> None:
    failed = workspace / paths.summary_file("20260102T000000Z-0a1b")
    failed.parent.mkdir()
    failed.write_bytes(
        orjson.dumps(
            SUMMARY | {"ok": False, "run_hash": None, "finished_at": "2026-01-02T00:00:00Z"},
        )
    )
    assert main(["card", "-C", str(workspace)]) == ExitCode.OK
    assert HASH in (workspace / paths.DATASET_CARD).read_text(encoding="utf-8")


def test_a_changed_export_has_no_card(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (workspace / paths.SFT_EXPORT).open("ab") as file:
        file.write(orjson.dumps(export_row(quality_score="rejected")) + b"\n")
    assert main(["card", "-C", str(workspace)]) == ExitCode.CHECK_FAILED
    assert "is not the file that the last run wrote" in capsys.readouterr().err
    assert not (workspace / paths.DATASET_CARD).exists()


def test_a_workspace_without_a_run_has_no_card(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / paths.summary_file(RUN)).unlink()
    assert main(["card", "-C", str(workspace)]) == ExitCode.NOT_EVALUABLE
    assert "distill run-all" in capsys.readouterr().err


def test_formats_with_rejected_answers_are_said_to_be_for_kto() -> None:
    def page(*files: FormattedFile) -> str:
        return dataset_card("x", SUMMARY, EXPORTS, CardContext(formatted=files))

    kto = FormattedFile("trl-unpaired", "labelled", "formatted/trl-unpaired/train.parquet", "train")
    sft = FormattedFile("trl-conversational", "sft", "formatted/trl-conversational/train.parquet", "train")
    assert "**For KTO only:** `trl-unpaired`." in page(kto, sft)
    assert "For KTO only" not in page(sft)
