"""What verdicts forbid is a breach though each text is of its run; no version, no mark hides a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from pipeline.contracts import paths
from pipeline.firewall.report import State
from tests.pipeline.firewall.corpus import GOOD, line
from tests.pipeline.firewall.falsified import (
    PAIRS,
    RAG,
    Row,
    edited,
    flat,
    look,
    member,
    said,
)


def _turned(row: Row) -> None:
    """The pair the other way round, ids and all: each side says what its run said."""
    for name in [name for name in row if name.startswith("chosen")]:
        other = name.replace("chosen", "rejected")
        row[name], row[other] = row[other], row[name]


@pytest.mark.parametrize(
    ("place", "number", "change", "words"),
    [
        (PAIRS, 0, _turned, "the run of its chosen side was scored rejected"),
        (PAIRS, 1, _turned, "the run of its chosen side was scored rejected"),
        (PAIRS, 0, member("rejected_run_id", "chat/good"), "both sides are the same run"),
        (RAG, 0, member("source_run_id", "chat/bad"), "its run was scored rejected"),
        (RAG, 1, member("source_run_id", "chat/lazy"), "its run was scored rejected"),
    ],
)
def test_what_the_verdicts_forbid_is_a_breach_though_each_text_is_of_its_run(
    workspace: Path, place: PurePosixPath, number: int, change: Callable[[Row], None], words: str
) -> None:
    report = edited(workspace, place, number, change)
    assert report.state is State.BREACH
    assert [(each.wall, each.file, each.detail) for each in report.findings.first] == [
        ("lineage", place.as_posix(), words)
    ]


def test_a_pair_whose_runs_were_scored_alike_is_a_breach_and_a_milder_loser_is_none(workspace: Path) -> None:
    scored = workspace / paths.scored_file("chat")
    whole = scored.read_bytes()
    for category, expected in (("partially_accepted", State.CLEAR), ("accepted", State.BREACH)):
        scored.write_bytes(whole.replace(b'"category":"rejected"', f'"category":"{category}"'.encode()))
        assert look(workspace).state is expected, category
    assert "scored no better" in look(workspace).findings.first[0].detail


@pytest.mark.parametrize("manifest", [None, "{}", '{"schemas": {"rag": 1, "preference": 1}}', "broken"])
@pytest.mark.parametrize("place", [RAG, PAIRS])
def test_a_manifest_that_calls_rows_old_does_not_make_them_so(
    workspace: Path, place: PurePosixPath, manifest: str | None
) -> None:
    said_of_it = workspace / paths.EXPORT_MANIFEST
    said_of_it.unlink()
    if manifest is not None:
        said_of_it.write_text(manifest)
    change = member("content", "Poison.") if place == RAG else said(-1, "content", "Poison.", "chosen")
    assert edited(workspace, place, 0, change).state is State.BREACH


def test_exports_of_version_1_have_no_such_wall(workspace: Path) -> None:
    (workspace / paths.EXPORTS / "manifest.json").write_text("{}")
    for evidence in (workspace / paths.EVIDENCE).iterdir():
        evidence.write_text(evidence.read_text().replace('"schema_version":2', '"schema_version":1'))
    old = {"id": "rag-1", "content": "Poison.", "tags": ["a"], "source_run_id": "chat/good"}
    (workspace / paths.RAG_EXPORT).write_bytes(line(old))
    assert look(workspace).state is State.CLEAR
    run = flat("good", GOOD, "Forty-two,\nI think.")
    (workspace / paths.SFT_EXPORT).write_bytes(line(run.row_of_version_1(response="Poison.")))
    assert look(workspace).state is State.CLEAR


@pytest.mark.parametrize("place", [RAG, PAIRS])
def test_rows_without_the_marks_of_their_runs_version_are_in_doubt(
    workspace: Path, place: PurePosixPath
) -> None:
    """They may be old; they may also have been stripped, so that no wall looks at them."""
    (workspace / place).write_bytes((workspace / place).read_bytes().replace(b'"shape"', b'"form"'))
    (workspace / place).write_bytes((workspace / place).read_bytes().replace(b'"tags":""', b'"tags":[]'))
    (workspace / paths.EXPORTS / "manifest.json").write_text('{"schemas": {"sft": 2}}')
    report = look(workspace)
    assert (report.state, report.findings.count) == (State.UNKNOWN, 0)
    assert report.detail.startswith(f"{place}: its rows are of version 1 and its runs of a newer one")
