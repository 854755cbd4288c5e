"""The firewall's own eyes on test sets: it finds in standing files what the exporter refuses."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_argv
from pipeline.contracts.finding_words import FIRST_READING
from pipeline.evaluation.sets import load_sets
from pipeline.firewall import evaluation_wall
from pipeline.firewall.evaluation_sets import SetUnreadableError, declared_sets
from pipeline.firewall.evaluation_texts import runs_of
from pipeline.firewall.evaluation_wall import Examined
from pipeline.firewall.evaluation_watch import EvaluationWatch
from pipeline.firewall.places import Places
from pipeline.firewall.report import State
from pipeline.settings.model import EvaluationSettings, Settings
from tests.pipeline.engine.workspaces import ONE_STREAM, encoded, flat_line, run_all
from tests.pipeline.evaluation.workspaces import DECLARED, make
from tests.pipeline.firewall.watching import Watcher
from tests.waiting import LIMIT_SECONDS


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A finished run whose exports hold task 3; its question becomes a test item afterwards."""
    run_all(make(tmp_path, flat_line(15)["ask"], ONE_STREAM))
    return tmp_path


def ask(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = firewall_argv(["-C", str(root), *arguments])
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)


def firewall(root: Path) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(ask(root, "--json").stdout)
    return answered


def declare(root: Path) -> None:
    (root / "distill.toml").write_text(ONE_STREAM + DECLARED, encoding="utf-8")


def test_nothing_declared_is_not_checked(workspace: Path) -> None:
    answer = firewall(workspace)
    assert (answer["state"], answer["evaluation"], answer["evaluation_sets"]) == ("CLEAR", "not_checked", 0)
    assert "evaluation" not in answer["walls"]
    assert "evaluation sets: not checked, none is declared" in ask(workspace).stdout


def test_standing_rows_and_pairs_of_a_test_item_are_a_breach(workspace: Path) -> None:
    declare(workspace)
    ended = ask(workspace, "--json")
    answer = json.loads(ended.stdout)
    assert (ended.returncode, answer["state"], answer["evaluation"]) == (10, "BREACH", "checked")
    assert set(answer["by_wall"]) == {"evaluation"}
    assert {finding["file"] for finding in answer["findings"]} == {
        str(paths.SFT_EXPORT),
        str(paths.PREFERENCE_EXPORT),
    }
    assert "100% of the prompt of services:1" in answer["findings"][0]["detail"]
    assert sum(answer["by_file"].values()) == answer["by_wall"]["evaluation"]
    assert set(answer["by_file"]) == {str(paths.SFT_EXPORT), str(paths.PREFERENCE_EXPORT)}
    assert answer["evaluation_refused"] is None, "no run has looked for this set"
    assert answer["cause"] == "sets_changed"


def test_a_file_outside_of_a_workspace_is_held_against_no_set(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    declare(workspace)
    argv = [str(workspace / paths.SFT_EXPORT), "--scored-dir", str(workspace / paths.SCORED_RUNS)]
    argv += ["--evidence-dir", str(workspace / paths.EVIDENCE)]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ended = subprocess.run(firewall_argv(argv), capture_output=True, text=True, check=False, cwd=elsewhere)
    assert ended.stdout.splitlines()[2] == "  evaluation sets: not checked"


def test_what_the_exporter_lets_through_is_clear(workspace: Path) -> None:
    declare(workspace)
    (workspace / paths.SFT_EXPORT).unlink()
    (workspace / paths.PREFERENCE_EXPORT).unlink()
    run_all(workspace)
    answer = firewall(workspace)
    assert (answer["state"], answer["evaluation"]) == ("CLEAR", "checked")
    assert (answer["evaluation_sets"], answer["evaluation_refused"]) == (1, 5)
    assert "evaluation" in answer["walls"]
    assert "  evaluation sets: checked (1 set, 5 rows quarantined)\n" in ask(workspace).stdout


@pytest.mark.parametrize("told", [b"", b"[]", b"{", b'{"checked": true}', b'{"checked": true, "sets": [1]}'])
def test_a_report_of_the_exporter_that_cannot_be_read_is_told_of_in_nothing(
    workspace: Path, told: bytes
) -> None:
    (workspace / "test_set.jsonl").write_bytes(encoded([{"q": "Which tower fell in the year of the flood?"}]))
    declare(workspace)
    (workspace / paths.DECONTAMINATION).write_bytes(told)
    answer = firewall(workspace)
    assert (answer["state"], answer["evaluation"], answer["evaluation_refused"]) == ("CLEAR", "checked", None)


@pytest.mark.parametrize("content", [None, b"", b"{broken\n", b"\xff\n"])
def test_a_set_that_cannot_be_read_leaves_nothing_clear(workspace: Path, content: bytes | None) -> None:
    declare(workspace)
    (workspace / "test_set.jsonl").unlink()
    if content is not None:
        (workspace / "test_set.jsonl").write_bytes(content)
    ended = ask(workspace, "--json")
    answer = json.loads(ended.stdout)
    assert (ended.returncode, answer["state"], answer["evaluation"]) == (3, "UNKNOWN", "not_evaluated")
    assert "services" in answer["detail"]
    assert answer["detail"] == f"evaluation sets: {answer['not_evaluated']['evaluation']}"
    assert "evaluation" not in answer["walls"]


def test_a_watcher_sees_a_row_of_a_test_item_and_that_it_is_gone(workspace: Path) -> None:
    """Nothing changes but the set: not the settings, not the exports."""
    other = encoded([{"q": "Which of the twelve towers fell in the year of the flood?"}])
    (workspace / "test_set.jsonl").write_bytes(other)
    declare(workspace)
    export = workspace / paths.SFT_EXPORT
    with Watcher(workspace) as watcher:
        clear = watcher.until_state("CLEAR")
        assert clear["findings_count"] == 0
        (workspace / "test_set.jsonl").write_bytes(encoded([{"q": flat_line(15)["ask"]}]))
        assert watcher.until_state("BREACH")["findings_count"] > 0
        (workspace / "test_set.jsonl").write_bytes(other)
        watcher.until_state("CLEAR")
        (workspace / paths.PREFERENCE_EXPORT).unlink()
        export.unlink()
        watcher.until_state("ABSENT")


def test_a_watcher_sees_another_file_of_a_set(workspace: Path) -> None:
    (workspace / "sets").mkdir()
    (workspace / "sets" / "a.jsonl").write_bytes(encoded([{"q": "Which of the twelve towers fell last?"}]))
    declared = DECLARED.replace("test_set.jsonl", "sets/**/*.jsonl")
    assert declared != DECLARED
    (workspace / "distill.toml").write_text(ONE_STREAM + declared, encoding="utf-8")
    with Watcher(workspace) as watcher:
        watcher.until_state("CLEAR")
        (workspace / "sets" / "b.jsonl").write_bytes(encoded([{"q": flat_line(15)["ask"]}]))
        assert watcher.until_state("BREACH")["by_wall"].keys() == {"evaluation"}
        (workspace / "sets" / "b.jsonl").unlink()
        watcher.until_state("CLEAR")


def test_a_look_at_sets_that_changed_meanwhile_does_not_count(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(workspace)
    test_set = workspace / "test_set.jsonl"
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    look = evaluation_wall.look

    def held(places: Places) -> Examined:
        examined = look(places)
        begun.release()
        assert go_on.acquire(timeout=LIMIT_SECONDS)
        return examined

    monkeypatch.setattr(evaluation_wall, "look", held)
    places, watch = Places.of(workspace, None, (), ()), EvaluationWatch()

    def next_look_ends() -> Examined:
        watch.look(places)
        assert begun.acquire(timeout=LIMIT_SECONDS)
        go_on.release()
        assert watch._thread is not None
        watch._thread.join(LIMIT_SECONDS)
        return watch.look(places)

    watch.look(places)
    assert begun.acquire(timeout=LIMIT_SECONDS)
    items = test_set.read_bytes()
    test_set.write_bytes(encoded([{"q": "Which of the twelve towers fell in the year of the flood?"}]))
    go_on.release()
    assert watch._thread is not None
    watch._thread.join(LIMIT_SECONDS)
    seen = watch.look(places)
    assert (seen.findings.count, seen.doubt) == (0, FIRST_READING), "what it found is of items that are gone"
    assert not watch.is_settled
    assert next_look_ends().doubt is None
    assert watch.is_settled
    test_set.write_bytes(items)
    stale = watch.look(places)
    assert (stale.doubtful, stale.doubt) == (State.STALE, "reading again, a file changed")
    assert next_look_ends().findings.count > 0
    assert watch.is_settled


def test_a_set_outside_of_the_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "w"
    root.mkdir()
    (tmp_path / "outside.jsonl").write_bytes(encoded([{"q": "What is asked of whom in which town?"}]))
    (root / "test_set.jsonl").symlink_to(tmp_path / "outside.jsonl")
    declare(root)
    with pytest.raises(SetUnreadableError):
        declared_sets(root)


def test_phrases_of_many_tasks_say_nothing_and_whole_prompts_always_count(tmp_path: Path) -> None:
    """Eleven of twenty tasks share eight words of the item, as in the exporter's rule; ten do not."""
    (tmp_path / "distill.toml").write_text(DECLARED, encoding="utf-8")
    item = " ".join(f"word{number}" for number in range(16))
    half = " ".join(f"word{number}" for number in range(8))
    (tmp_path / "test_set.jsonl").write_bytes(encoded([{"q": item}]))
    (tmp_path / "rows.jsonl").write_bytes(encoded([{"instruction": half}, {"instruction": item}]))
    for sharing, lines in ((10, [1, 2]), (11, [2])):
        asked = [half] * sharing + ["unrelated"] * (20 - sharing)
        evidence = [
            {"stream": "s", "task_id": f"t{number}", "instruction": text, "response": "said"}
            for number, text in enumerate(asked)
        ]
        (tmp_path / "evidence.jsonl").write_bytes(encoded(evidence))
        examined = evaluation_wall.examine(
            tmp_path, [("rows.jsonl", tmp_path / "rows.jsonl")], [tmp_path / "evidence.jsonl"]
        )
        assert [finding.line for finding in examined.findings.first] == lines


def test_conversations_and_pairs_are_read_turn_by_turn() -> None:
    call = {"id": "c", "name": "f", "arguments": '{"a": 1}'}
    turns = [
        {"role": "system", "content": "never looked at"},
        {"role": "user", "content": "asked"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "never looked at"},
        {"role": "assistant", "content": "said", "tool_calls": json.dumps([call])},
    ]
    row = {"messages": turns, "instruction": "a view", "context": "a prompt", "response": "its view"}
    [of_evidence] = runs_of(row)
    assert of_evidence == (["asked"], ['{"a": 1}', "said", '{"a": 1}'])
    [exported] = runs_of({"shape": "conversation", **row})
    assert exported == (["a view", "asked"], ["its view", '{"a": 1}', "said", '{"a": 1}'])
    pair = {"prompt": turns[:2], "chosen": turns[2:], "rejected": [{"role": "assistant", "content": "no"}]}
    assert [each.answer for each in runs_of(pair)] == [['{"a": 1}', "said", '{"a": 1}'], ["no"]]
    assert runs_of({"prompt": "p", "chosen": "c", "rejected": "r"}) == [(["p"], ["c"]), (["p"], ["r"])]


def test_the_system_turn_of_a_flat_row_is_its_context() -> None:
    turns = [{"role": "system", "content": "told"}, {"role": "user", "content": "asked"}]
    [texts] = runs_of(
        {"shape": "flat", "messages": turns, "instruction": "i", "context": "c", "response": "r"}
    )
    assert texts == (["i", "c", "told", "asked"], ["r"])


def _packed(kind: str, first: bytes, second: bytes) -> bytes:
    """Two members (frames, streams), one after the other."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        "plain": bytes,
        "gzip": gzip.compress,
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }
    return packers[kind](first) + packers[kind](second)


@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz", "set.parquet", "set"])
@pytest.mark.parametrize("kind", ["plain", "gzip", "bzip2", "xz", "zstd", "parquet"])
def test_what_a_set_is_its_bytes_say_and_not_its_name(tmp_path: Path, kind: str, name: str) -> None:
    """The exporter and the firewall, each by its own code."""
    first, second = ({"q": f"{word} does the router have lights when it is on?"} for word in ("why", "how"))
    if kind == "parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist([first, second]), tmp_path / name)
    else:
        lines = (json.dumps(item).encode() + b"\n" for item in (first, second))
        (tmp_path / name).write_bytes(_packed(kind, *lines))
    (tmp_path / "distill.toml").write_text(f'[[evaluation]]\nname = "quiz"\npath = "{name}"\nprompt = "q"\n')
    (corpus,) = declared_sets(tmp_path).of_side["prompt"]
    assert sum(map(len, corpus.whole.values())) == 2
    declared = EvaluationSettings(name="quiz", path=(name,), prompt="q")
    assert load_sets(tmp_path, Settings(evaluations=(declared,))).sets[0].items == 2


@pytest.mark.parametrize("place", ["distill.toml", "set.jsonl"])
def test_a_pipe_in_the_place_of_a_set_or_its_settings_is_named(tmp_path: Path, place: str) -> None:
    settings = '[[evaluation]]\nname = "quiz"\npath = "set.jsonl"\nprompt = "q"\n'
    (tmp_path / "distill.toml").write_text(settings)
    (tmp_path / place).unlink(missing_ok=True)
    os.mkfifo(tmp_path / place)
    with pytest.raises(SetUnreadableError):
        declared_sets(tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (b"[scoring\n", "distill.toml is not valid TOML: Expected ']'"),
        (b"x = \xff\n", "distill.toml cannot be read: it is not UTF-8"),
        (b"x = " + b"[" * 5_000 + b"]" * 5_000, "distill.toml cannot be read: it nests too deep"),
    ],
)
def test_settings_that_cannot_be_read_are_told_in_words(tmp_path: Path, settings: bytes, said: str) -> None:
    (tmp_path / "distill.toml").write_bytes(settings)
    with pytest.raises(SetUnreadableError, match=re.escape(said)):
        declared_sets(tmp_path)
