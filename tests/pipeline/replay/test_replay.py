"""A replay from the command line to its row in the log, the log's rotation, and how an answer is judged."""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import (
    EngineUnavailableError,
    InputError,
    IntegrityError,
    OperatorError,
    SettingsError,
)
from pipeline.platform import disk, disk_faults
from pipeline.replay import playbook_index
from pipeline.replay import rotate as rotation
from pipeline.replay.model_choice import MODEL_VARIABLE, local_model
from pipeline.replay.playbook_index import INDEX_FILE, retrieve
from pipeline.replay.replay import replay_task
from pipeline.replay.validate import ReplayReason, validate
from pipeline.schemas.replay_run import ReplayRun
from pipeline.settings.load import load_settings
from pipeline.settings.model import ReplaySettings, Settings
from tests.faulty_disk import FaultyDisk
from tests.pipeline.engine.workspaces import engine, rows
from tests.pipeline.replay.chat_server import chat_server, says

TASK = "question 3: how do I stop service 3?"
FILLER = "As an AI language model I cannot say; it depends. I hope this helps you anyway."


def settings_with(workspace: Path, **replay: Any) -> Settings:
    loaded = load_settings(workspace).settings
    return loaded.model_copy(update={"replay": ReplaySettings(**replay)})


def test_the_playbook_of_the_task_is_found_first(workspace: Path) -> None:
    found = retrieve(workspace, TASK)
    assert "service 3" in found[0].content
    assert found[0].relevance >= found[-1].relevance >= 0


def test_the_index_follows_the_file(workspace: Path) -> None:
    assert retrieve(workspace, "zebra") == []
    playbooks = workspace / paths.RAG_EXPORT
    line = json.loads(playbooks.read_bytes().splitlines()[0])
    line.update(id="rag-new", content="feed the zebra")
    with playbooks.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
    assert [book.rag_id for book in retrieve(workspace, "zebra")] == ["rag-new"]


def test_a_damaged_index_is_built_again(workspace: Path) -> None:
    expected = retrieve(workspace, TASK)
    (workspace / INDEX_FILE).write_bytes(b"no database at all" * 100)
    assert retrieve(workspace, TASK) == expected


def test_looking_needs_no_right_to_write(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = retrieve(workspace, TASK)
    (workspace / INDEX_FILE).unlink()

    def refuse(_place: Path, *_more: object) -> None:
        raise disk_faults.storage_fault(OSError(errno.EROFS, "Read-only file system"), workspace, "")

    monkeypatch.setattr(playbook_index, "_build", refuse)
    assert retrieve(workspace, TASK) == expected
    assert not (workspace / INDEX_FILE).exists()


def test_a_full_disk_costs_the_index_and_not_the_answer(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = retrieve(workspace, TASK)
    (workspace / INDEX_FILE).unlink()
    fill, filled = playbook_index._fill, []

    def full_once(database: sqlite3.Connection, source: Path, digest: str) -> None:
        filled.append(digest)
        if len(filled) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        fill(database, source, digest)

    monkeypatch.setattr(playbook_index, "_fill", full_once)
    assert retrieve(workspace, TASK) == expected
    assert [each.name for each in (workspace / INDEX_FILE).parent.glob("*sqlite3*")] == []


def test_a_task_full_of_query_syntax_is_only_words(workspace: Path) -> None:
    assert retrieve(workspace, 'service" OR NEAR(* AND {col}: ^-"')
    assert retrieve(workspace, "'\"*:^()") == []


def test_a_playbook_file_that_is_no_playbooks_is_named(workspace: Path) -> None:
    (workspace / paths.RAG_EXPORT).write_bytes(b'{"id": 1}\n')
    with pytest.raises(InputError) as caught:
        retrieve(workspace, TASK)
    assert caught.value.fault.line == 1


def test_the_command_answers_logs_and_says_where_the_model_came_from(workspace: Path) -> None:
    finished = engine(workspace, "replay", "--task", TASK, "--json", "--local-only")
    assert finished.returncode == 0, finished.stderr
    assert "model extractive, from the default" in finished.stderr
    logged = rows(workspace, paths.REPLAY_RUNS)
    assert logged == [json.loads(finished.stdout)]
    ReplayRun.model_validate(logged[0])


def test_a_replay_that_is_not_logged_leaves_no_row(workspace: Path) -> None:
    finished = engine(workspace, "replay", "--task", TASK, "--json", "--no-log")
    assert finished.returncode == 0, finished.stderr
    assert not (workspace / paths.REPLAY_RUNS).exists()


def test_the_environment_beats_the_settings_and_a_flag_beats_both() -> None:
    settings = ReplaySettings(model="openai:from-settings")
    environment = {MODEL_VARIABLE: "openai:from-environment"}
    assert local_model(settings, None, {}).origin == "settings"
    assert local_model(ReplaySettings(), None, {}).origin == "default"
    chosen = local_model(settings, None, environment)
    assert (chosen.name, chosen.origin) == ("openai:from-environment", "environment")
    assert local_model(settings, "extractive", environment).origin == "flag"
    with pytest.raises(SettingsError):
        local_model(settings, "gpt", {})


def test_filler_is_refused_and_ends_with_one(workspace: Path) -> None:
    with chat_server(says(FILLER)) as (url, _):
        row = replay_task(workspace, settings_with(workspace, model="openai:x", base_url=url), TASK)
    assert row["validation_result"]["ok"] is False
    assert "filler_or_hedge_phrase" in row["validation_result"]["reasons"]


def test_a_failed_local_answer_escalates_unless_local_only(workspace: Path) -> None:
    good = "Stop service 3 with care, then look at its log, as the playbook for question 3 says."
    with chat_server(says(good)) as (url, seen):
        settings = settings_with(workspace, base_url=url, escalation_model="openai:big", model="openai:small")
        escalated = replay_task(workspace, settings, "how do I stop service 3?")
        assert [attempt["model"] for attempt in escalated["attempts"]] == ["openai:small"]
    with chat_server(says(FILLER)) as (url, seen):
        settings = settings_with(workspace, base_url=url, escalation_model="openai:big", model="openai:small")
        both = replay_task(workspace, settings, TASK)
        alone = replay_task(workspace, settings, TASK, local_only=True)
    assert [attempt["model"] for attempt in both["attempts"]] == ["openai:small", "openai:big"]
    assert [attempt["model"] for attempt in alone["attempts"]] == ["openai:small"]
    assert len(seen) == 3


def test_a_model_out_of_reach_is_logged_and_named(workspace: Path) -> None:
    settings = settings_with(workspace, model="openai:x", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(EngineUnavailableError) as caught:
        replay_task(workspace, settings, TASK)
    assert "127.0.0.1:1" in caught.value.fault.what_happened
    logged = rows(workspace, paths.REPLAY_RUNS)[-1]
    assert logged["attempts"][0]["error"] == "unreachable"
    assert logged["validation_result"] == {"ok": False, "reasons": ["empty"]}


def test_empty_retrieval_asks_nobody_and_is_refused(workspace: Path) -> None:
    (workspace / paths.RAG_EXPORT).write_bytes(b"")
    row = replay_task(workspace, load_settings(workspace).settings, TASK)
    assert row["attempts"] == []
    assert row["validation_result"] == {"ok": False, "reasons": ["no_playbook_support"]}


def test_nothing_is_logged_when_an_audit_replays(workspace: Path) -> None:
    replay_task(workspace, load_settings(workspace).settings, TASK, log=False)
    assert not (workspace / paths.REPLAY_RUNS).exists()


def test_a_rotated_log_reads_back_byte_for_byte_and_a_fresh_one_is_there(workspace: Path) -> None:
    log = workspace / paths.REPLAY_RUNS
    log.write_bytes(b'{"a": 1}\n' * 1000)
    assert "nothing to do" in engine(workspace, "rotate-replay-log").stdout
    done = json.loads(engine(workspace, "rotate-replay-log", "--force", "--json").stdout)["rotated"]
    assert gzip.decompress((workspace / done[0]["archive"]).read_bytes()) == b'{"a": 1}\n' * 1000
    assert log.read_bytes() == b""
    assert len(list(log.parent.glob("replay_runs.archive.*"))) == 1


def test_no_archive_is_ever_overwritten(workspace: Path) -> None:
    log = workspace / paths.REPLAY_RUNS
    for text in (b"one\n", b"two\n", b"three\n"):
        log.write_bytes(text)
        rotation.rotate(workspace, epoch=7)
    packed = sorted(log.parent.glob("replay_runs.archive.*.gz"))
    assert [gzip.decompress(path.read_bytes()) for path in packed] == [b"one\n", b"two\n", b"three\n"]


def test_an_archive_that_does_not_read_back_keeps_its_original(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = workspace / paths.REPLAY_RUNS
    log.write_bytes(b"rows\n")
    monkeypatch.setattr(rotation, "_sha256_of_packed", lambda _path: "0" * 64)
    with pytest.raises(IntegrityError):
        rotation.rotate(workspace, epoch=7)
    assert (log.parent / "replay_runs.archive.7.jsonl").read_bytes() == b"rows\n"
    monkeypatch.undo()
    assert len(rotation.rotate(workspace)) == 1, "the next rotation packs what the failed one left"


def _cut_off_between_two_names(workspace: Path) -> Path:
    log = workspace / paths.REPLAY_RUNS
    log.write_bytes(b"rows\n")
    os.link(log, log.with_name("replay_runs.archive.7.jsonl"))
    with log.open("ab") as file:
        file.write(b"logged since\n")
    return log


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["not due", "forced"])
def test_a_log_that_a_rotation_left_under_two_names_is_named_and_archived_once(
    workspace: Path, force: tuple[str, ...]
) -> None:
    log = _cut_off_between_two_names(workspace)
    done = engine(workspace, "rotate-replay-log", *force)
    assert "is data/_kb/replay_runs.jsonl under a second name" in done.stderr
    archives = list(log.parent.glob("replay_runs.archive.*"))
    assert [gzip.decompress(path.read_bytes()) for path in archives] == [b"rows\nlogged since\n"]
    assert log.read_bytes() == b""
    assert "second name" not in engine(workspace, "rotate-replay-log").stderr


def test_a_disk_that_fails_at_any_point_of_a_rotation_leaves_each_row_once_after_the_next(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = workspace / paths.REPLAY_RUNS
    for number in range(1, 100):
        for path in log.parent.glob("replay_runs*"):
            path.unlink()
        log.write_bytes(b"rows\n")
        faulty = FaultyDisk(number, errno.EIO)
        monkeypatch.setattr(disk, "operations", faulty)
        with contextlib.suppress(OperatorError):
            rotation.rotate(workspace, epoch=7)
        monkeypatch.undo()
        if not faulty.failed.total():
            break
        rotation.rotate(workspace, epoch=8)
        archives = list(log.parent.glob("replay_runs.archive.*"))
        assert [gzip.decompress(path.read_bytes()) for path in archives] == [b"rows\n"], number
    assert number > 5


PLAYBOOKS = ["Stop the gateway service, wait for open connections, then restart it and read its journal."]
GOOD = "Stop the gateway service first, wait until connections are closed, then restart it."


def test_an_answer_with_support_and_no_filler_passes() -> None:
    assert validate(GOOD, PLAYBOOKS) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, ReplayReason.EMPTY),
        ("  \n", ReplayReason.EMPTY),
        ("Restart the gateway service.", ReplayReason.TOO_SHORT),
        (GOOD + " As an AI I may be wrong.", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " I hope this helps!", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " It  DEPENDS\non your setup.", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " Then [insert host name here].", ReplayReason.PLACEHOLDER),
        (GOOD + " TODO: check.", ReplayReason.PLACEHOLDER),
        (GOOD + " Then type <your password>.", ReplayReason.PLACEHOLDER),
        (GOOD + " And after that,", ReplayReason.TRUNCATED),
        (GOOD + "\n```\nsystemctl restart gateway", ReplayReason.TRUNCATED),
        (
            "Bake seven potatoes slowly beside yellow carrots until everything becomes golden.",
            ReplayReason.NO_PLAYBOOK_SUPPORT,
        ),
    ],
)
def test_a_reason_is_given_alone(answer: str | None, reason: ReplayReason) -> None:
    assert validate(answer, PLAYBOOKS) == [reason]


def test_a_server_that_ended_at_its_limit_gives_a_truncated_answer() -> None:
    assert validate(GOOD, PLAYBOOKS, cut_off=True) == [ReplayReason.TRUNCATED]


def test_without_playbooks_nothing_has_support() -> None:
    assert validate(GOOD, []) == [ReplayReason.NO_PLAYBOOK_SUPPORT]
