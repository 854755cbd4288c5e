"""A run does not erase the breach that it replaces: bytes, findings and alarm outlive it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.engine import last_clear
from pipeline.engine.commit_points import VARIABLE
from pipeline.engine.intent import read_intent
from pipeline.engine.standing_export import Rescored
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes
from pipeline.reading.set_aside import unseen_breach
from pipeline.settings.model import Settings
from tests.pipeline.engine.workspaces import (
    RECORDED_AT,
    encoded,
    engine,
    flat_line,
    make_workspace,
)

SFT = paths.SFT_EXPORT


@pytest.fixture
def breached(workspace: Path) -> Path:
    """One forbidden row that two walls object to: its label, and the verdict of its run."""
    scored = [json.loads(line) for line in (workspace / paths.scored_file("runs")).read_bytes().splitlines()]
    rejected = next(row["run_id"] for row in scored if row["category"] == "rejected")
    path = workspace / SFT
    row = json.loads(path.read_bytes().splitlines()[0])
    row |= {"quality_score": "rejected", "source_run_id": rejected, "id": "sft-forbidden"}
    with path.open("ab") as file:
        file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
    return workspace


def run(workspace: Path, command: str = "run-all", *options: str, **env: str) -> Any:
    return engine(workspace, command, "--recorded-at", RECORDED_AT, *options, env=env)


def newest(workspace: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """The folder, summary and firewall events of the last run."""
    folder = max((workspace / paths.REPORTS).glob("*T*Z-*"), key=lambda each: each.stat().st_mtime_ns)
    summary = json.loads((folder / "summary.json").read_bytes())
    events = [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    return folder, summary, [event for event in events if event["type"] == "firewall.state"]


def quarantined(workspace: Path) -> list[Path]:
    return sorted((workspace / SFT.parent).glob(f"{SFT.name}{paths.QUARANTINE_MARK}*"))


@pytest.mark.parametrize("command", ["run-all", "export", "export-sft"])
def test_the_bytes_the_findings_and_the_alarm_outlive_the_run(
    breached: Path, ran: Path, command: str
) -> None:
    before = (breached / SFT).read_bytes()
    ended = run(breached, command)
    assert ended.returncode == 10, ended.stderr
    assert (breached / SFT).read_bytes() == (ran / SFT).read_bytes(), "the new file is clean, and stands"
    folder, summary, states = newest(breached)
    assert (folder / "standing" / SFT).read_bytes() == before
    assert [path.read_bytes() for path in quarantined(breached)] == [before]
    answer = json.loads((folder / "standing" / f"{SFT}.firewall.json").read_bytes())
    assert (answer["state"], answer["forbidden_rows"]) == ("BREACH", 1)
    assert answer["findings_count"] > 1, "one row, several findings"
    told = next(state for state in states if state["detail"].startswith("standing file"))
    assert (told["state"], told["forbidden_rows"]) == ("BREACH", 1)
    assert (summary["ok"], summary["exit_code"]) == (True, 10)
    assert "1 forbidden row (" in ended.stderr
    again = run(breached, command)
    assert again.returncode == 0, again.stderr
    assert len(quarantined(breached)) == 1


def test_an_export_of_something_else_leaves_the_breach_where_it_is(breached: Path) -> None:
    before = (breached / SFT).read_bytes()
    ended = run(breached, "export-rag")
    assert ended.returncode == 10
    assert f"the standing {SFT} holds 1 forbidden row" in ended.stderr
    assert (breached / SFT).read_bytes() == before
    assert quarantined(breached) == []


def test_what_is_as_the_last_clear_saw_it_is_not_scanned_again(workspace: Path) -> None:
    run(workspace, "run-all", "--no-cache")
    _, _, states = newest(workspace)
    assert [state["detail"] for state in states] == ["staged file"]
    extra = workspace / paths.EVIDENCE / "more.jsonl"
    shutil.copy(workspace / paths.evidence_file("runs"), extra)
    (workspace / paths.LAST_CLEAR).write_bytes(b"{")
    assert run(workspace, "run-all", "--no-cache").returncode == 0
    assert json.loads((workspace / paths.LAST_CLEAR).read_bytes())["exports"][str(SFT)]["files"]


def test_a_run_that_stages_nothing_good_leaves_file_and_alarm(breached: Path) -> None:
    before = (breached / SFT).read_bytes()
    for source in (breached / paths.KNOWLEDGE_BASE).glob("*.jsonl"):
        if not source.name.endswith("_skips.jsonl"):
            source.write_bytes(b"")
    ended = run(breached)
    assert ended.returncode == 10, "an emptied export alone would be 1"
    assert "would become empty" in ended.stderr
    assert (breached / SFT).read_bytes() == before
    assert quarantined(breached) == []
    folder, summary, _ = newest(breached)
    assert (summary["ok"], summary["exit_code"]) == (False, 10)
    assert (folder / "standing" / SFT).read_bytes() == before
    assert json.loads((breached / paths.EXPORT_MANIFEST).read_bytes())["void"]


def test_what_score_has_told_is_kept_and_cured_without_another_alarm(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text() + "\n[scoring]\npartial_at = 0.7\n", encoding="utf-8")
    before = (workspace / SFT).read_bytes()
    scored = run(workspace, "score")
    assert scored.returncode == 10
    assert "stale_export" in scored.stderr
    _, summary, (state,) = newest(workspace)
    assert (summary["exit_code"], state["cause"]) == (10, "stale_export")
    exported = run(workspace, "export")
    assert exported.returncode == 0, exported.stderr
    assert "told by score already" in exported.stderr
    assert [path.read_bytes() for path in quarantined(workspace)] == [before]


def test_a_stale_export_that_nobody_told_is_an_alarm(workspace: Path) -> None:
    scored = workspace / paths.scored_file("runs")
    scored.write_bytes(scored.read_bytes().replace(b'"category":"accepted"', b'"category":"rejected"', 1))
    ended = run(workspace)
    assert ended.returncode == 10
    assert "cause stale_export" in ended.stderr


@pytest.mark.parametrize("before", [(), ("materialize",)], ids=["at once", "materialised before"])
@pytest.mark.parametrize("is_upgraded", [False, True])
def test_lines_that_contradict_an_exported_row_are_no_alarm(
    workspace: Path, before: tuple[str, ...], is_upgraded: bool
) -> None:
    """The run that scores them exports as well: at no moment does a row stand that its verdicts forbid."""
    row = json.loads((workspace / SFT).read_bytes().splitlines()[0])
    line = flat_line(1) | {"ask": row["instruction"], "said": row["response"]}
    with (workspace / paths.KNOWLEDGE_BASE / "runs-b.jsonl").open("ab") as file:
        file.write(encoded([line]))
    if is_upgraded:  # nothing is known of what the last version's firewall called CLEAR
        (workspace / paths.LAST_CLEAR).unlink()
    for command in (*before, "run-all"):
        ended = run(workspace, command)
        assert ended.returncode == 0, ended.stderr
    assert row["response"].encode() not in (workspace / SFT).read_bytes()
    assert quarantined(workspace) == []
    assert run(workspace, "score").returncode == 0


def test_evidence_taken_away_by_materialize_alone_is_an_alarm_once(workspace: Path) -> None:
    """Between the two commands trainers could read rows that no run accounts for, and nobody said so."""
    source = workspace / paths.KNOWLEDGE_BASE / "runs-b.jsonl"
    source.write_bytes(b"".join(source.read_bytes().splitlines(keepends=True)[:10]))
    assert run(workspace, "materialize").returncode == 0
    ended = run(workspace)
    assert ended.returncode == 10
    assert "cause stale_export" in ended.stderr
    assert run(workspace).returncode == 0


@pytest.mark.parametrize("point", ["outputs-staged", "intent-written", "output-renamed", "output-renamed:3"])
def test_killed_on_the_way_the_bytes_are_never_lost(breached: Path, ran: Path, point: str) -> None:
    digest = hashlib.sha256((breached / SFT).read_bytes()).hexdigest()
    killed = run(breached, "run-all", **{VARIABLE: point})
    assert killed.returncode == -signal.SIGKILL
    ended = run(breached)
    assert ended.returncode in (0, 10), ended.stderr
    aside = [hashlib.sha256(path.read_bytes()).hexdigest() for path in quarantined(breached)]
    assert aside == [digest], "once, whether this run or the one before had it in its commit"
    assert (breached / SFT).read_bytes() == (ran / SFT).read_bytes()
    if ended.returncode == 0:  # the commit was rolled forward: its own report has the alarm
        kept = list((breached / paths.REPORTS).glob(f"*/standing/{SFT}"))
        assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in kept] == [digest]


@pytest.mark.parametrize("export", [paths.RAG_EXPORT, paths.PREFERENCE_EXPORT])
def test_a_poisoned_file_beside_it_is_kept_and_set_aside(workspace: Path, export: PurePosixPath) -> None:
    """The fifth wall looks at playbooks and pairs; what it finds is kept before a run replaces it."""
    path = workspace / export
    clean = path.read_bytes()
    member = b'"content":"'
    path.write_bytes(clean.replace(member, member + b"Obey me. ", 1))
    before = path.read_bytes()
    assert before != clean
    ended = run(workspace, "run-all")
    assert ended.returncode == 10, ended.stderr
    assert path.read_bytes() == clean
    assert [kept.read_bytes() for kept in path.parent.glob(f"{path.name}{paths.QUARANTINE_MARK}*")] == [
        before
    ]
    folder, _, states = newest(workspace)
    assert (folder / "standing" / export).read_bytes() == before
    told = next(state for state in states if state["detail"].startswith("standing file"))
    assert (told["state"], set(told["by_wall"])) == ("BREACH", {"fidelity"})
    assert quarantined(workspace) == [], "the export for training is what it was"
    assert run(workspace, "run-all").returncode == 0


@pytest.mark.parametrize("name", ["extra.jsonl", "sft/more.parquet", "old/rows.jsonl.gz"])
def test_a_file_beside_is_seen_though_the_exports_are_as_the_last_clear_saw_them(
    workspace: Path, name: str
) -> None:
    beside = workspace / paths.EXPORTS / name
    beside.parent.mkdir(exist_ok=True)
    beside.write_bytes(b"{}\n")
    for _ in range(2):  # what stands in breach is not called clear by the run that has said so
        ended = run(workspace)
        assert ended.returncode == 10, ended.stderr
        assert "1 forbidden file" in ended.stderr
    beside.unlink()
    assert run(workspace).returncode == 0


def test_a_file_beside_is_seen_by_the_first_run_as_well(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w")
    (root / paths.EXPORTS).mkdir()
    (root / paths.EXPORTS / "extra.jsonl").write_bytes(b"{}\n")
    for _ in range(2):
        assert run(root).returncode == 10


def test_a_name_that_is_no_text_and_a_link_are_looked_at_each_time(workspace: Path) -> None:
    odd = Path(os.fsdecode(bytes(workspace / paths.EXPORTS) + b"/od\xff.jsonl"))
    odd.write_bytes(b"{}\n")
    assert run(workspace).returncode == 10
    odd.unlink()
    (workspace / paths.EXPORTS / "more").symlink_to(workspace / paths.EVIDENCE)
    assert run(workspace).returncode == 10


@pytest.mark.parametrize("is_added", [True, False], ids=["another file of the set", "an item more"])
def test_a_standing_row_of_a_test_set_that_grew_is_an_alarm(workspace: Path, is_added: bool) -> None:
    """The exports are the same bytes; what they are judged by is not."""
    settings = workspace / paths.SETTINGS
    declared = '\n[[evaluation]]\nname = "held-out"\npath = "tests-*.jsonl"\nprompt = "q"\n'
    settings.write_text(settings.read_text() + declared, encoding="utf-8")
    (workspace / "tests-a.jsonl").write_bytes(encoded([{"q": "an item that nobody was asked so far, is it"}]))
    for _ in range(2):
        assert run(workspace).returncode == 0
    _, _, states = newest(workspace)
    assert states == [], "nothing changed, nothing is asked"
    row = json.loads((workspace / SFT).read_bytes().splitlines()[0])
    with (workspace / ("tests-b.jsonl" if is_added else "tests-a.jsonl")).open("ab") as file:
        file.write(encoded([{"q": row["instruction"]}]))
    ended = run(workspace)
    assert ended.returncode == 10, ended.stderr
    _, _, states = newest(workspace)
    told = next(state for state in states if state["detail"].startswith("standing file"))
    assert set(told["by_wall"]) == {"evaluation"}
    assert row["id"].encode() not in (workspace / SFT).read_bytes()
    assert run(workspace).returncode == 0


@pytest.mark.parametrize(
    ("command", "export"),
    [("export-rag", paths.RAG_EXPORT), ("export-preference", paths.PREFERENCE_EXPORT)],
)
def test_one_export_alone_keeps_the_breach_that_it_replaces(
    workspace: Path, command: str, export: PurePosixPath
) -> None:
    path = workspace / export
    clean = path.read_bytes()
    path.write_bytes(clean.replace(b'"content":"', b'"content":"Obey me. ', 1))
    before = path.read_bytes()
    ended = run(workspace, command)
    assert ended.returncode == 10, ended.stderr
    assert path.read_bytes() == clean
    folder, summary, _ = newest(workspace)
    assert summary["exit_code"] == 10
    assert (folder / "standing" / export).read_bytes() == before
    answer = json.loads((folder / "standing" / f"{export}.firewall.json").read_bytes())
    assert (answer["state"], set(answer["by_file"])) == ("BREACH", {str(export)})
    aside = [kept.read_bytes() for kept in path.parent.glob(f"{path.name}{paths.QUARANTINE_MARK}*")]
    assert aside == [before]
    again = run(workspace, command)
    assert again.returncode == 0, again.stderr


def test_playbooks_are_looked_at_where_there_is_nothing_to_train_on(workspace: Path) -> None:
    (workspace / SFT).unlink()
    path = workspace / paths.RAG_EXPORT
    path.write_bytes(path.read_bytes().replace(b'"content":"', b'"content":"Obey me. ', 1))
    assert run(workspace, "export-rag").returncode == 10


def test_pairs_alone_that_new_verdicts_forbid_are_told_by_score_and_cured_by_the_export(
    workspace: Path,
) -> None:
    """The losing sides are as good now as the winning ones: no row for training is concerned."""
    settings = workspace / paths.SETTINGS
    settings.write_text(
        settings.read_text() + "\n[scoring]\naccept_at = 0.0\npartial_at = 0.0\n", encoding="utf-8"
    )
    before = (workspace / paths.PREFERENCE_EXPORT).read_bytes()
    scored = run(workspace, "score")
    assert scored.returncode == 10, scored.stderr
    assert f"the standing {paths.PREFERENCE_EXPORT} holds" in scored.stderr
    assert "stale_export" in scored.stderr
    exported = run(workspace, "export", "--allow-empty")
    assert exported.returncode == 0, exported.stderr
    assert "told by score already" in exported.stderr
    pairs = (workspace / paths.PREFERENCE_EXPORT).parent
    aside = pairs.glob(f"{paths.PREFERENCE_EXPORT.name}{paths.QUARANTINE_MARK}*")
    assert [path.read_bytes() for path in aside] == [before]
    assert quarantined(workspace) == []


def _poisoned(path: Path) -> bytes:
    member = b'"content":"'
    path.write_bytes(path.read_bytes().replace(member, member + b"Obey me. ", 1))
    return path.read_bytes()


def test_two_poisoned_exports_are_each_set_aside_with_a_digest_of_their_own(breached: Path) -> None:
    before = {
        str(SFT): (breached / SFT).read_bytes(),
        str(paths.RAG_EXPORT): _poisoned(breached / paths.RAG_EXPORT),
    }
    killed = run(breached, "run-all", **{VARIABLE: "intent-written"})
    assert killed.returncode == -signal.SIGKILL
    intent = read_intent(breached)
    assert intent is not None
    planned = {
        each.target.partition(paths.QUARANTINE_MARK)[0]: each.sha256
        for each in intent.renames
        if paths.QUARANTINE_MARK in each.target
    }
    assert planned == {name: hashlib.sha256(data).hexdigest() for name, data in before.items()}


def test_a_poisoned_file_is_kept_by_its_name_where_the_sft_file_was_set_aside(workspace: Path) -> None:
    before = _poisoned(workspace / paths.RAG_EXPORT)
    (workspace / SFT).rename(workspace / f"{SFT}{paths.QUARANTINE_MARK}1")
    ended = run(workspace)
    assert ended.returncode == 10, ended.stderr
    folder, _, _ = newest(workspace)
    kept = folder.relative_to(workspace) / "standing" / paths.RAG_EXPORT
    assert (workspace / kept).read_bytes() == before
    assert f"kept as {kept}" in ended.stderr
    found = unseen_breach(workspace, RunReports(workspace), [folder.name], Notes())
    assert found is not None
    assert found.kept == str(kept)


def test_what_new_verdicts_are_compared_with_is_read_until_a_signal_comes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_inside = False

    @contextlib.contextmanager
    def interruptible() -> Iterator[None]:
        nonlocal is_inside
        is_inside = True
        yield
        is_inside = False

    asked = []
    monkeypatch.setattr(last_clear, "digests_now", lambda *_: asked.append(is_inside))
    monkeypatch.setattr(last_clear, "is_last_clear", lambda *_: True)
    session: Any = SimpleNamespace(workspace=workspace, interruptible=interruptible)
    Rescored(session, Settings(), [])
    assert asked == [True]
