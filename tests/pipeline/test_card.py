"""The dataset card: counts that agree with the exports, hostile names made harmless."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.card import ExportFacts, dataset_card
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
    card = dataset_card("demo", SUMMARY, EXPORTS, {"shell": "MIT"})
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


def test_the_front_matter_is_yaml_with_licences_and_a_config_an_export() -> None:
    card = dataset_card('a "name": #1', SUMMARY, EXPORTS, {"shell": "MIT", "names": "Apache-2.0"})
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["pretty_name"] == 'a "name": #1'
    assert front["license"] == ["Apache-2.0", "MIT"]
    assert front["configs"][1] == {"config_name": "sft", "data_files": "sft/instruction_response.jsonl"}
    assert yaml.safe_load(dataset_card("x", SUMMARY, EXPORTS, {"shell": None}).split("---\n")[1])[
        "license"
    ] == ["unknown"]


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
    card = dataset_card("demo", SUMMARY, hostile, {"shell": name})
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
        section = dataset_card("demo", SUMMARY, EXPORTS, {}, report).split("## Evaluation sets")[1]
        assert section.strip().startswith("Evaluation sets: **not checked**, none is declared.")


def test_declared_evaluation_sets_are_told_with_what_was_refused_and_kept() -> None:
    one = {"name": "a|b", "items": 1_200, "sides": 2_400, "sides_too_short": 3, "rows_refused": 2}
    rows = [{"set": "a|b", "refused": True}] * 2 + [{"set": "a|b", "refused": False}]
    report = {"checked": True, "sets": [one], "rows": rows}
    card = dataset_card("demo", SUMMARY, EXPORTS, {}, report)
    assert "\nEvaluation sets: checked (1 set, 2 rows refused).\n" in card
    assert "| a\\|b | 1,200 | 2,400 | 3 | 2 | 1 |" in card.splitlines()


def test_the_same_facts_give_the_same_card() -> None:
    assert dataset_card("demo", SUMMARY, EXPORTS, {}) == dataset_card("demo", SUMMARY, EXPORTS, {})


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
