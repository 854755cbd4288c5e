"""Near-duplicates in a run: what is compared, what stays out, what is told, however the work is divided."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, SettingsError
from pipeline.engine.likeness import load_likeness, said_in, said_in_pair
from pipeline.firewall.places import Places
from pipeline.firewall.report import State
from pipeline.firewall.scan import scan
from pipeline.settings.model import from_document
from pipeline.stages.export_messages import exported_messages
from pipeline.stages.sample import Sample, read_sample
from tests.architecture.fresh_interpreter import run_python
from tests.pipeline.engine.workspaces import ONE_STREAM, encoded, engine, output_bytes, rows, run_all
from tests.pipeline.stages.builders import evidence, turn

# Of 100 words: 96 windows. A word changed in the middle takes five of them, one at the end takes one.
WORDS = [f"word{number}" for number in range(100)]


def line(task: int, words: list[str], reward: float = 1.0) -> dict[str, Any]:
    return {"task": f"t{task}", "ask": f"What about {task}?", "said": " ".join(words), "reward": reward}


def other(task: int) -> list[str]:
    return [f"{word}of{task}" for word in WORDS]


def changed(*places: int) -> list[str]:
    return [f"new{place}" if place in places else word for place, word in enumerate(WORDS)]


LOG = [
    line(0, changed(50), 0.8),  # 91 of 101 windows are shared with the best one
    line(1, WORDS),  # the best one
    *(line(task, other(task)) for task in range(2, 40)),
    line(40, changed(0, 99)),  # 94 of 98
    line(41, changed(20, 40, 60, 80)),  # 76 of 116, under 0.8
    line(42, ["too", "short"]),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "data/_kb").mkdir(parents=True)
    (tmp_path / "data/_kb/runs.jsonl").write_bytes(encoded(LOG))
    return tmp_path


def set_to(root: Path, mode: str, export: str = "sft", more: str = "") -> None:
    told = f'[export.{export}]\nnear_duplicates = "{mode}"\n{more}' if mode else ""
    (root / "distill.toml").write_text(ONE_STREAM + told, encoding="utf-8")


def report(root: Path, export: str = "sft") -> dict[str, Any]:
    return dict(json.loads((root / paths.NEAR_DUPLICATE_REPORTS[export]).read_bytes()))


def tasks(root: Path) -> set[str]:
    return {row["task_id"] for row in rows(root, paths.SFT_EXPORT)}


def run_of(root: Path, task: str) -> str:
    (found,) = {row["run_id"] for row in rows(root, paths.scored_file("runs")) if row["task_id"] == task}
    return str(found)


def test_dropped_rows_name_the_run_that_stays(workspace: Path) -> None:
    set_to(workspace, "drop")
    run_all(workspace)
    best = run_of(workspace, "t1")
    held = {
        row["task_id"]: row["detail"]
        for row in rows(workspace, paths.SFT_QUARANTINE)
        if row["reason"] == "near_duplicate"
    }
    assert held == {"t0": f"0.90 of {best}", "t40": f"0.96 of {best}"}
    assert tasks(workspace) == {f"t{task}" for task in range(43)} - {"t0", "t40"}
    told = report(workspace)
    assert told["mode"] == "drop"
    assert (told["rows_compared"], told["rows_too_short"], told["rows_alike"]) == (42, 1, 2)
    (cluster,) = told["clusters"]
    assert cluster["kept_run_id"] == best
    assert [each["run_id"] for each in cluster["alike"]] == [
        run_of(workspace, "t40"),
        run_of(workspace, "t0"),
    ]
    # Each export is asked for by itself.
    assert {row["reason"] for row in rows(workspace, paths.RAG_QUARANTINE)} == set()
    assert engine(workspace, "verify-export", str(workspace / "exports")).returncode == ExitCode.OK
    assert scan(Places.of(workspace, None, (), ())).state is State.CLEAR
    assert engine(workspace, "card").returncode == ExitCode.OK
    card = (workspace / paths.DATASET_CARD).read_text(encoding="utf-8")
    assert "2 of 42 rows say nearly what a better one says (1 cluster), refused, 1 row too short" in card
    assert "`rag`: *not checked*; `sft`: checked, 2 of 42" in card


def test_reported_rows_are_the_same_and_stay(workspace: Path) -> None:
    set_to(workspace, "")
    run_all(workspace)
    assert not (workspace / paths.NEAR_DUPLICATE_REPORTS["sft"]).exists()
    before = output_bytes(workspace)[str(paths.SFT_EXPORT)]
    set_to(workspace, "report")
    run_all(workspace)
    assert output_bytes(workspace)[str(paths.SFT_EXPORT)] == before
    told = report(workspace)
    assert (told["mode"], told["rows_alike"]) == ("report", 2)
    set_to(workspace, "drop")
    run_all(workspace)
    assert report(workspace) | {"mode": "report", "recorded_at": 0} == told | {"recorded_at": 0}


def test_the_same_rows_for_any_division_of_the_work_and_from_written_evidence(workspace: Path) -> None:
    set_to(workspace, "drop")
    whole = run_all(workspace, "--no-cache", "--workers", "1")["run_hash"]
    said = report(workspace)["clusters"]
    for workers, size in (("2", "1KiB"), ("1", "4KiB")):
        divided = run_all(workspace, "--no-cache", "--workers", workers, "--chunk-bytes", size)
        assert divided["run_hash"] == whole
    exported = engine(workspace, "export", "--json")
    assert json.loads(exported.stdout)["run_hash"] == whole
    assert report(workspace)["clusters"] == said
    # The same lines in another order: the same runs stay.
    (workspace / "data/_kb/runs.jsonl").write_bytes(encoded(LOG[::-1]))
    run_all(workspace)
    assert tasks(workspace) == {f"t{task}" for task in range(43)} - {"t0", "t40"}


def test_the_setting_is_part_of_the_run_hash_and_its_default_is_not(workspace: Path) -> None:
    hashes = []
    for mode in ("", "off", "report", "drop"):
        set_to(workspace, mode)
        hashes.append(run_all(workspace)["run_hash"])
        (workspace / paths.NEAR_DUPLICATE_REPORTS["sft"]).unlink(missing_ok=True)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_switched_off_an_older_report_says_that_nothing_was_checked(workspace: Path) -> None:
    set_to(workspace, "drop")
    run_all(workspace)
    set_to(workspace, "off")
    run_all(workspace)
    assert report(workspace)["checked"] is False
    assert "t0" in tasks(workspace)
    assert engine(workspace, "card").returncode == ExitCode.OK
    assert "| near-duplicates | *not checked* |" in (workspace / paths.DATASET_CARD).read_text(
        encoding="utf-8"
    )


def test_another_export_alone_keeps_the_claim_on_the_report(workspace: Path) -> None:
    set_to(workspace, "drop")
    run_all(workspace)
    assert engine(workspace, "export-preference").returncode == ExitCode.OK
    manifest = json.loads((workspace / paths.EXPORT_MANIFEST).read_bytes())
    assert "near_duplicates.json" in {file["path"] for file in manifest["files"]}
    assert engine(workspace, "verify-export", str(workspace / "exports")).returncode == ExitCode.OK


def test_a_playbook_that_says_what_a_better_one_says_is_told_or_left_out(workspace: Path) -> None:
    set_to(workspace, "report", "rag")
    run_all(workspace)
    told = report(workspace, "rag")
    assert (told["export"], told["rows_compared"], told["rows_alike"]) == ("rag", 42, 2)
    assert not (workspace / paths.NEAR_DUPLICATE_REPORTS["sft"]).exists()
    everything = {row["task_id"] for row in rows(workspace, paths.RAG_EXPORT)}
    set_to(workspace, "drop", "rag")
    run_all(workspace)
    assert everything - {row["task_id"] for row in rows(workspace, paths.RAG_EXPORT)} == {"t0", "t40"}
    assert tasks(workspace) == {f"t{task}" for task in range(43)}
    assert engine(workspace, "verify-export", str(workspace / "exports")).returncode == ExitCode.OK


def attempt(task: int, good: list[str], bad: list[str], least: float = 0.0) -> list[dict[str, Any]]:
    return [line(task, good), line(task, bad, least)]


BAD = [f"bad{number}" for number in range(20)]
PAIRS = [
    *attempt(0, changed(50), [*BAD, "indeed"], 0.2),  # alike on both sides, and less wide
    *attempt(1, WORDS, BAD),  # the widest
    *attempt(2, WORDS[1:], other(2)),  # the better side alone is alike
    *attempt(3, BAD, WORDS),  # the other way round
    *attempt(4, other(4), BAD),  # the worse side alone
    *attempt(5, WORDS, ["no", "idea"]),
]


def pair_tasks(root: Path) -> set[str]:
    return {row["task_id"] for row in rows(root, paths.PREFERENCE_EXPORT)}


def test_a_pair_is_a_near_duplicate_when_both_its_sides_are(workspace: Path) -> None:
    (workspace / "data/_kb/runs.jsonl").write_bytes(encoded(PAIRS))
    set_to(workspace, "report", "preference")
    run_all(workspace)
    reported = pair_tasks(workspace)
    told = report(workspace, "preference")
    assert (told["export"], told["rows_too_short"], told["rows_alike"]) == ("preference", 1, 1)
    assert told["rows_compared"] + told["rows_too_short"] == len(reported)
    set_to(workspace, "drop", "preference")
    whole = run_all(workspace, "--no-cache", "--workers", "1")["run_hash"]
    assert reported - pair_tasks(workspace) == {"t0"}
    (cluster,) = report(workspace, "preference")["clusters"]
    held = [row for row in rows(workspace, paths.PREFERENCE_QUARANTINE) if row["reason"] == "near_duplicate"]
    assert {row["task_id"] for row in held} == {"t0"}
    assert {row["detail"].split()[-1] for row in held} == {cluster["kept_run_id"]}
    assert len(held) == 2
    assert engine(workspace, "verify-export", str(workspace / "exports")).returncode == ExitCode.OK
    assert scan(Places.of(workspace, None, (), ())).state is State.CLEAR
    for workers, size in (("2", "1KiB"), ("1", "4KiB")):
        divided = run_all(workspace, "--no-cache", "--workers", workers, "--chunk-bytes", size)
        assert divided["run_hash"] == whole
    exported = engine(workspace, "export", "--json")
    assert json.loads(exported.stdout)["run_hash"] == whole
    asked = engine(workspace, "score", "--what-if", "partial_at=0.9", "--json")
    (counted,) = [each for each in json.loads(asked.stdout)["exports"] if each["export"] == "preference"]
    assert counted["now"] == len(pair_tasks(workspace))


def test_the_cap_counts_the_pairs_that_near_duplicates_left(workspace: Path) -> None:
    (workspace / "data/_kb/runs.jsonl").write_bytes(encoded(PAIRS))
    set_to(workspace, "drop", "preference")
    run_all(workspace)
    left = len(pair_tasks(workspace))
    set_to(workspace, "drop", "preference", f"max_rows = {left}\n")
    run_all(workspace)
    assert len(pair_tasks(workspace)) == left


def test_what_if_counts_them(workspace: Path) -> None:
    set_to(workspace, "drop")
    run_all(workspace)
    # The run that is dropped for a better one is rejected then: the export is the same.
    asked = engine(workspace, "score", "--what-if", "partial_at=0.9", "--json")
    assert asked.returncode == ExitCode.OK, asked.stderr
    (sft,) = [change for change in json.loads(asked.stdout)["exports"] if change["export"] == "sft"]
    assert sft["now"] == sft["then"] == 41


def sample(**fields: Any) -> Sample:
    read = read_sample(evidence(**fields))
    assert isinstance(read, Sample)
    return read


def test_compared_is_what_the_assistant_said_and_called() -> None:
    (said,) = said_in(sample(response="One, two three FOUR five six."))
    assert said == {"one two three four five", "two three four five six"}
    assert said_in(sample(response="one two three four")) == (frozenset(),)
    call = {"id": "c", "name": "look", "arguments": '{"At": 1}'}
    talk = [
        turn("system", "a b c d e f"),
        turn("user", "g h i j k l"),
        turn("assistant", "Let me") | {"tool_calls": [call]},
        turn("tool", "m n o p q r"),
        turn("assistant", "Done."),
    ]
    words = " ".join(["let", "me", "look", "{", '"', "At", '"', ":", "1", "}", "done"]).split()
    expected = frozenset(" ".join(words[at : at + 5]) for at in range(len(words) - 4))
    assert said_in(sample(messages=talk)) == (expected,)
    chosen = exported_messages(talk[2:])
    assert said_in_pair({"chosen": chosen, "rejected": chosen[2:]}) == (expected, frozenset())


def test_the_library_is_imported_only_when_it_is_asked_for(workspace: Path) -> None:
    set_to(workspace, "off")
    code = (
        "import sys; from pathlib import Path; from pipeline.engine.work_context import WorkContext;"
        "from pipeline.settings.load import load_settings; from pipeline.engine import run_all, export_stage;"
        "root = Path(sys.argv[1]); context = WorkContext(root, load_settings(root).settings);"
        "context.chunk_context('runs', 'all'); print('datasketch' in sys.modules)"
    )
    for mode, is_imported in (("off", "False"), ("drop", "True")):
        set_to(workspace, mode)
        ended = run_python("-c", code, str(workspace))
        assert ended.stdout.strip() == is_imported, ended.stderr


def test_without_the_library_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = from_document({"export": {"sft": {"near_duplicates": "report"}}})
    likeness = load_likeness(chosen.export)
    assert likeness is not None
    one, two = frozenset(["a b c d e"]), frozenset(["b c d e f"])
    assert likeness.bands((one,)) == likeness.bands((one,)) != likeness.bands((two,))
    # What is better on one side of a pair and worse on the other is no likeness.
    assert likeness.bands((one, two)) != likeness.bands((two, one))
    assert len(likeness.bands((one,))) == len(likeness.bands((one, two))) == 20 * 8
    assert likeness.bands((frozenset(),)) == likeness.bands((one, frozenset())) == b""
    monkeypatch.setitem(sys.modules, "datasketch", None)
    for export in ("rag", "sft", "preference"):
        asked = from_document({"export": {export: {"near_duplicates": "report"}}})
        with pytest.raises(SettingsError) as refused:
            load_likeness(asked.export)
        assert f"[export.{export}] near_duplicates" in refused.value.fault.what_happened
        assert "distill-console[near-duplicates]" in refused.value.fault.do_next
    assert load_likeness(from_document({}).export) is None
