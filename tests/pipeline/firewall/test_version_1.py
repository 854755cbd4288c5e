"""An export of version 1 is judged by the content wall of version 1: an upgrade alone changes no verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from pipeline.firewall.sentinel import Sentinel
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, turn
from tests.waiting import wait_until

SAID = "```text x\nIt is forty-three,  I am sure.```"


def look(root: Path, answered: str, *, version: int, evidence: int = 0, **asked: Any) -> Report:
    corpus = Corpus(root)
    bad = Run("bad", BAD, SAID)
    good = Run("good", GOOD, answered, **{"task": "t2", **asked})
    corpus.runs(bad, good, version=evidence or version)
    corpus.export(good.row() if version == 2 else good.row_of_version_1())
    return scan(Places.of(root, None, (), ()))


@pytest.mark.parametrize(
    ("answered", "first", "second"),
    [
        pytest.param(SAID, State.BREACH, State.BREACH, id="as it is"),
        pytest.param(
            SAID.replace("```text x\nIt", "```text\n x It"), State.BREACH, State.CLEAR, id="white space"
        ),
        pytest.param(SAID.replace("sure", "su\u200bre"), State.CLEAR, State.BREACH, id="a hidden character"),
    ],
)
def test_each_version_compares_as_it_always_did(
    tmp_path: Path, answered: str, first: State, second: State
) -> None:
    for version, state in ((1, first), (2, second)):
        root = tmp_path / str(version)
        root.mkdir()
        report = look(root, answered, version=version)
        assert report.state is state
        assert version == 2 or not report.warnings.count


def test_a_row_without_a_shape_is_of_version_2_where_the_manifest_says_so(tmp_path: Path) -> None:
    hidden = SAID.replace("sure", "su\u200bre")
    assert look(tmp_path, hidden, version=1).state is State.CLEAR
    (tmp_path / paths.EXPORTS / "manifest.json").write_text('{"schemas": {"sft": 2}}')
    assert scan(Places.of(tmp_path, None, (), ())).state is State.BREACH


def test_the_same_task_was_enough_in_version_1(tmp_path: Path) -> None:
    for version, state in ((1, State.BREACH), (2, State.CLEAR)):
        root = tmp_path / str(version)
        root.mkdir()
        assert look(root, SAID, version=version, task="t1", instruction="Another?").state is state


@pytest.mark.parametrize("others", [(), (("system", "Be brief."),)])
def test_the_first_question_of_a_conversation_was_enough_in_version_1(
    tmp_path: Path, others: tuple[tuple[str, str], ...]
) -> None:
    asked = (*others, ("user", "What is six times seven?"), ("assistant", SAID))
    turns = [turn(role, text) for role, text in asked]
    assert look(tmp_path, SAID, version=1, instruction="Another?", messages=turns).state is State.BREACH


def test_rows_that_call_themselves_old_beside_newer_evidence_are_not_called_clear(tmp_path: Path) -> None:
    """Stripped of their shape, with the manifest's word on versions, they would pass by the older walls."""
    report = look(tmp_path, SAID.replace("sure", "su\u200bre"), version=1, evidence=2)
    assert report.state is State.UNKNOWN
    assert "distill export" in report.detail


def test_a_watcher_says_so_too(tmp_path: Path) -> None:
    look(tmp_path, "Another answer.", version=1, evidence=2)
    sentinel = Sentinel(Places.of(tmp_path, None, (), ()))
    wait_until(lambda: "distill export" in sentinel.look().report.detail, "the doubt is told")
    assert sentinel.look().report.state is State.UNKNOWN
    sentinel.close()


def _respelled(path: Path) -> None:
    """The same rows with a blank behind each colon and comma, and a name written with an escape."""
    rows = [json.dumps(json.loads(row)) for row in path.read_text().splitlines()]
    spelled = [row.replace('"shape"', '"sh\\u0061pe"').replace('"tags"', '"t\\u0061gs"') for row in rows]
    path.write_text("".join(f"{row}\n" for row in spelled))


def test_a_row_of_version_2_is_such_however_it_is_spelled(tmp_path: Path) -> None:
    assert look(tmp_path, SAID.replace("sure", "su\u200bre"), version=2).state is State.BREACH
    _respelled(tmp_path / paths.SFT_EXPORT)
    report = scan(Places.of(tmp_path, None, (), ()))
    assert report.state is State.BREACH
    assert not report.not_evaluated


def test_newer_evidence_is_such_however_it_is_spelled(tmp_path: Path) -> None:
    look(tmp_path, SAID.replace("sure", "su\u200bre"), version=1, evidence=2)
    _respelled(tmp_path / paths.evidence_file("chat"))
    report = scan(Places.of(tmp_path, None, (), ()))
    assert report.state is State.UNKNOWN
    assert "distill export" in report.detail


@pytest.mark.parametrize("beginning", [b"{\n", b"\xff\n", b'{"shape":"flat","shape":"flat"}\n', b"[]\n"])
def test_rows_of_version_2_behind_an_unreadable_one_are_judged_as_such(
    tmp_path: Path, beginning: bytes
) -> None:
    look(tmp_path, "Another answer.", version=2)
    export = tmp_path / paths.SFT_EXPORT
    export.write_bytes(beginning + export.read_bytes())
    report = scan(Places.of(tmp_path, None, (), ()))
    assert report.state is State.BREACH
    assert not report.not_evaluated


def test_the_version_is_read_behind_a_long_text(tmp_path: Path) -> None:
    look(tmp_path, "long " * 20_000, version=2)
    export = tmp_path / paths.SFT_EXPORT
    row = json.loads(export.read_bytes())
    export.write_text(json.dumps({"response": row["response"], **row}) + "\n")
    assert not scan(Places.of(tmp_path, None, (), ())).not_evaluated
