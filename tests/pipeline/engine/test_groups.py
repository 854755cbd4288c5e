"""Many lines, or a whole file, as one attempt: what a run makes of them, and what holds afterwards."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.contracts import paths
from pipeline.schemas.evidence import EvidenceRecord
from pipeline.settings.load import load_settings
from pipeline.source_bytes import SourceState, read_source
from tests.pipeline.audit.audited import audit, statuses
from tests.pipeline.engine.workspaces import encoded, make_workspace, output_bytes, rows, run_all

SETTINGS = """\
[[stream]]
name = "sessions"
path = ["data/_kb/s*"]
group = { by = "session", order = "at" }
[stream.fields]
task_id = "task"
messages = "[message]"
verdict = "_lines[-1].passed"
"""
BY_FILE = """\
[[stream]]
name = "sessions"
path = ["data/_kb/s*"]
unit = "file"
[stream.fields]
task_id = "task"
messages = "_lines[].message"
verdict = "_lines[-1].passed"
"""
EVIDENCE = paths.evidence_file("sessions")


def turn(session: str, at: int, text: str, **more: Any) -> dict[str, Any]:
    role = "user" if at % 2 == 0 else "assistant"
    return {
        "session": session,
        "at": at,
        "task": f"t-{session}",
        "message": {"role": role, "content": text},
        **more,
    }


def session(name: str, turns: int = 4, size: int = 10) -> list[dict[str, Any]]:
    found = [turn(name, at, f"{name} says {at} " + "x" * size) for at in range(turns)]
    found[-1]["passed"] = True
    return found


def interleaved(*sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    longest = max(len(each) for each in sessions)
    return [each[at] for at in range(longest) for each in sessions if at < len(each)]


def texts(row: dict[str, Any]) -> list[str]:
    return [message["content"] for message in row["messages"]]


_CHECKS = ("P2.dry-run", "P2.conserves", "P2.provenance", "P5.receipts-match")


def checked(workspace: Path) -> None:
    """The checks of the audit that look at lines, rows and bytes pass, and each row has its bytes."""
    found = statuses(audit(workspace, *(word for name in _CHECKS for word in ("--check", name))))
    assert found == dict.fromkeys(_CHECKS, "pass")
    settings = load_settings(workspace).settings
    for row in rows(workspace, EVIDENCE):
        EvidenceRecord.model_validate(row)
        assert read_source(workspace, settings, row["provenance"]).state is SourceState.OK


def test_sessions_are_joined_whatever_lies_between_their_lines(tmp_path: Path) -> None:
    a, b = session("a"), session("b", 6)
    lines = interleaved(a, b)
    data = encoded(lines[:3]) + b"\n{broken\n" + encoded([{"no": "session"}]) + encoded(lines[3:])
    workspace = make_workspace(tmp_path, {"s.jsonl": data + b'{"session":"a","at":9'}, SETTINGS)
    summary = run_all(workspace)
    assert summary["counts"]["lines"] == 14
    assert (summary["counts"]["mapped"], summary["counts"]["skipped"]) == (10, 4)
    of_a, of_b = rows(workspace, EVIDENCE)
    assert texts(of_a) == [line["message"]["content"] for line in a]
    assert texts(of_b) == [line["message"]["content"] for line in b]
    reasons = [row["reason"] for row in rows(workspace, paths.DISTILLATION_SKIPS)]
    assert reasons == ["blank_line", "malformed_json", "missing_field", "torn_tail"]
    checked(workspace)


def test_provenance_leads_to_the_bytes_of_every_line(tmp_path: Path) -> None:
    a = session("a", 5)
    first = encoded(a[:2]) + encoded([turn("b", 0, "between")]) + encoded(a[2:3])
    workspace = make_workspace(
        tmp_path, {"s1.jsonl": first, "s2.jsonl": encoded(a[3:]).replace(b"\n", b"\r\n")}, SETTINGS
    )
    run_all(workspace)
    row = next(row for row in rows(workspace, EVIDENCE) if row["task_id"] == "t-a")
    provenance = row["provenance"]
    assert provenance["group"] == "a"
    places = [
        (Path(each["source_file"]).name, each["first_line"], each["last_line"], each["lines"])
        for each in provenance["ranges"]
    ]
    assert places == [("s1.jsonl", 1, 2, 2), ("s1.jsonl", 4, 4, 1), ("s2.jsonl", 1, 2, 2)]
    lines = []
    for each in provenance["ranges"]:
        data = (workspace / each["source_file"]).read_bytes()[each["byte_offset"] : each["byte_end"]]
        lines += data.replace(b"\r\n", b"\n").split(b"\n")
    assert [json.loads(line) for line in lines] == a
    digests = b"".join(hashlib.sha256(line).digest() for line in lines)
    assert provenance["sig_hash"] == hashlib.sha256(digests).hexdigest()
    checked(workspace)
    source = workspace / "data/_kb/s2.jsonl"
    source.write_bytes(source.read_bytes().replace(b"a says 3", b"a says 4"))
    assert statuses(audit(workspace, "--check", "P2.provenance")) == {"P2.provenance": "fail"}


def test_exports_and_verdicts_have_the_one_shape_of_provenance(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded(session("a"))}, SETTINGS)
    run_all(workspace)
    wanted = ["source_file", "line", "byte_offset", "sig_hash", "part"]
    for place in (paths.SFT_EXPORT, paths.RAG_EXPORT, paths.scored_file("sessions")):
        (row,) = rows(workspace, place)
        assert list(row["provenance"]) == wanted


def test_the_order_is_that_of_the_field_and_what_has_none_stays_behind_its_line(tmp_path: Path) -> None:
    a = session("a", 4)
    note = {"session": "a", "message": {"role": "user", "content": "note"}}
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded([a[2], note, a[0], a[3], a[1]])}, SETTINGS)
    run_all(workspace)
    (row,) = rows(workspace, EVIDENCE)
    assert [text[:8] for text in texts(row)] == ["a says 0", "a says 1", "a says 2", "note", "a says 3"]


def test_texts_and_numbers_have_no_order_and_skip_the_group_alone(tmp_path: Path) -> None:
    mixed = [turn("a", 0, "x"), {**turn("a", 1, "y"), "at": "late"}]
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded([*mixed, *session("b")])}, SETTINGS)
    run_all(workspace)
    assert [row["task_id"] for row in rows(workspace, EVIDENCE)] == ["t-b"]
    skips = rows(workspace, paths.DISTILLATION_SKIPS)
    assert [(skip["line"], skip["reason"]) for skip in skips] == [(1, "wrong_type"), (2, "wrong_type")]
    checked(workspace)


def test_a_copy_of_a_file_doubles_no_turn(tmp_path: Path) -> None:
    a = session("a")
    workspace = make_workspace(tmp_path, {"s1.jsonl": encoded(a[:3]), "s2.jsonl": encoded(a)}, SETTINGS)
    run_all(workspace)
    (row,) = rows(workspace, EVIDENCE)
    assert len(row["messages"]) == 4
    assert [skip["reason"] for skip in rows(workspace, paths.DISTILLATION_SKIPS)] == ["duplicate_line"] * 3
    checked(workspace)


def test_a_line_that_comes_again_in_its_own_file_is_no_copy(tmp_path: Path) -> None:
    ok = {"session": "a", "message": {"role": "user", "content": "go on"}}
    a = session("a", 2)
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded([a[0], ok, a[1], ok])}, SETTINGS)
    run_all(workspace)
    (row,) = rows(workspace, EVIDENCE)
    assert [text[:5] for text in texts(row)] == ["a say", "go on", "a say", "go on"]


def many() -> dict[str, bytes]:
    sessions = [session(f"n{number}", 2 + number % 5, 40 * (number % 7)) for number in range(40)]
    sessions.append(session("long", 60, 300))
    lines = interleaved(*sessions)
    bad = b'{broken\n\n["list"]\n'
    return {
        "s1.jsonl": encoded(lines[:100]) + bad + encoded(lines[100:150]),
        "s2.jsonl.gz": gzip.compress(encoded(lines[140:]) + bad, mtime=0),
        "s3.json": json.dumps([*session("in-array"), {"no": 1}], indent=1).encode(),
    }


@pytest.mark.parametrize("settings", [SETTINGS, BY_FILE], ids=["by a key", "by file"])
def test_the_bytes_are_the_same_for_any_workers_and_chunks(tmp_path: Path, settings: str) -> None:
    found = set()
    for number, (workers, chunk) in enumerate([("1", "2MiB"), ("2", "1KiB"), ("1", "5000")]):
        workspace = make_workspace(tmp_path / str(number), many(), settings)
        summary = run_all(workspace, "--workers", workers, "--chunk-bytes", chunk)
        counts = summary["counts"]
        assert counts["lines"] == counts["mapped"] + counts["skipped"]
        found.add((summary["run_hash"], tuple(sorted(output_bytes(workspace).items()))))
        if number == 1:
            assert counts["chunks_total"] > 1
            checked(workspace)
    assert len(found) == 1


def test_a_group_that_grew_keeps_its_id_and_the_others_are_not_made_again(tmp_path: Path) -> None:
    sessions = [session(f"n{number}", 4, 200) for number in range(60)]
    lines = [line for each in sessions for line in each]
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded(lines)}, SETTINGS)
    first = run_all(workspace, "--chunk-bytes", "4KiB")
    ids = {row["task_id"]: row["run_id"] for row in rows(workspace, EVIDENCE)}
    with (workspace / "data/_kb/s.jsonl").open("ab") as source:
        source.write(encoded([turn("n30", 4, "one more"), turn("n30", 5, "and an answer", passed=True)]))
    second = run_all(workspace, "--chunk-bytes", "4KiB")
    assert first["counts"]["chunks_total"] > 10
    assert second["counts"]["chunks_processed"] <= 3
    again = rows(workspace, EVIDENCE)
    assert {row["task_id"]: row["run_id"] for row in again} == ids
    assert next(len(row["messages"]) for row in again if row["task_id"] == "t-n30") == 6
    unchanged = run_all(workspace, "--chunk-bytes", "4KiB")
    assert unchanged["counts"]["chunks_processed"] == 0
    assert unchanged["run_hash"] == second["run_hash"]
    fresh = make_workspace(
        tmp_path / "fresh", {"s.jsonl": (workspace / "data/_kb/s.jsonl").read_bytes()}, SETTINGS
    )
    assert run_all(fresh)["run_hash"] == second["run_hash"]
    checked(workspace)


def test_files_are_attempts_and_a_copy_of_one_is_no_second(tmp_path: Path) -> None:
    a, b = encoded(session("a")), json.dumps(session("b")[0]).encode()
    workspace = make_workspace(tmp_path, {"s1": a, "s2": b, "s3": a}, BY_FILE)
    run_all(workspace)
    first, second = rows(workspace, EVIDENCE)
    assert (first["provenance"]["group"], len(first["messages"])) == ("data/_kb/s1", 4)
    assert (second["provenance"]["group"], len(second["messages"])) == ("data/_kb/s2", 1)
    skips = [(Path(skip["file"]).name, skip["reason"]) for skip in rows(workspace, paths.DISTILLATION_SKIPS)]
    assert skips == [("s3", "duplicate_line")] * 4
    checked(workspace)


def test_p3_and_p4_alone_write_the_same_bytes(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, many(), SETTINGS)
    run_all(workspace)
    before = output_bytes(workspace)
    for command in ("score", "export"):
        assert cli.main([command, "-C", str(workspace), "--recorded-at", "2026-01-01T00:00:00Z"]) == 0
    assert output_bytes(workspace) == before


def test_lineage_finds_a_session_by_any_of_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = interleaved(session("a"), session("b"))
    workspace = make_workspace(tmp_path, {"s.jsonl": encoded(lines)}, SETTINGS)
    run_all(workspace)
    assert cli.main(["lineage", "data/_kb/s.jsonl:3", "-C", str(workspace), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    run_ids = {row["task_id"]: row["run_id"] for row in rows(workspace, EVIDENCE)}
    assert [chain["run_id"] for chain in answer["chains"]] == [run_ids["t-a"]]
    assert cli.main(["lineage", run_ids["t-b"], "-C", str(workspace), "--bytes"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["session"] for line in printed] == ["b"] * 4


ITEMS = """\
[[stream]]
name = "sessions"
path = "data/_kb/s*"
[stream.fields]
task_id = "id"
instruction = { lookup = "asked", key = "id", get = "q" }
response = "a"
verdict = "ok"

[[stream]]
name = "asked"
role = "lookup"
key = "id"
path = "data/_kb/asked*"
"""


def test_items_of_whole_json_are_attempts_with_their_bytes(tmp_path: Path) -> None:
    items = [{"id": f"i{number}", "a": f"answer {number}", "ok": True} for number in range(30)]
    asked = [{"id": f"i{number}", "q": f"question {number}?"} for number in range(30)]
    torn = b'[\n{"id":"i1","a":"half","ok":true},\n{"id":"i2","a":"half","ok":true}\n'
    sources = {
        "s1": json.dumps(items[:10]).encode(),
        "s2": b"[\n" + b",\n".join(json.dumps(item).encode() for item in items[10:20]) + b"\n]\n",
        "s3": gzip.compress(json.dumps(items[20:29], indent=2).encode(), mtime=0),
        "s4": json.dumps(items[29], indent=2).encode(),
        "s5": torn,
        "asked": json.dumps(asked, indent=1).encode(),
    }
    hashes, found, workspace = set(), [], tmp_path
    for number, chunk in enumerate(["2MiB", "1KiB"]):
        workspace = make_workspace(tmp_path / str(number), sources, ITEMS)
        summary = run_all(workspace, "--chunk-bytes", chunk)
        hashes.add(summary["run_hash"])
        found = rows(workspace, EVIDENCE)
        assert [row["task_id"] for row in found] == [f"i{number}" for number in range(30)]
        assert (summary["counts"]["mapped"], summary["counts"]["looked_up"]) == (30, 30)
        (skip,) = rows(workspace, paths.DISTILLATION_SKIPS)
        assert (skip["file"], skip["line"], skip["reason"]) == ("data/_kb/s5", 1, "torn_tail")
        checked(workspace)
    assert len(hashes) == 1
    (each,) = found[15]["provenance"]["ranges"]
    data = (workspace / each["source_file"]).read_bytes()[each["byte_offset"] : each["byte_end"]]
    assert json.loads(data) == items[15]
    assert found[15]["provenance"]["sig_hash"] == hashlib.sha256(data).hexdigest()


def test_a_new_file_makes_its_own_groups_and_leaves_the_others(tmp_path: Path) -> None:
    sessions = [session(f"n{number}", 4, 200) for number in range(60)]
    workspace = make_workspace(
        tmp_path, {"s1.jsonl": encoded([line for each in sessions for line in each])}, SETTINGS
    )
    run_all(workspace, "--chunk-bytes", "4KiB")
    (workspace / "data/_kb/s0.jsonl").write_bytes(encoded(session("new")))
    second = run_all(workspace, "--chunk-bytes", "4KiB")
    assert second["counts"]["chunks_processed"] <= 3
    assert [row["task_id"] for row in rows(workspace, EVIDENCE)][:2] == ["t-new", "t-n0"]
    (workspace / "data/_kb/s0.jsonl").unlink()
    third = run_all(workspace, "--chunk-bytes", "4KiB")
    assert third["counts"]["chunks_processed"] <= 3
    assert third["counts"]["evidence"] == 60


def test_a_damaged_archive_costs_its_own_lines_alone(tmp_path: Path) -> None:
    whole = gzip.compress(encoded(session("a")), mtime=0)
    workspace = make_workspace(
        tmp_path, {"s1.gz": whole[:-20], "s2.jsonl": encoded(session("b")), "s3.gz": whole}, SETTINGS
    )
    summary = run_all(workspace)
    by_task = {row["task_id"]: len(row["messages"]) for row in rows(workspace, EVIDENCE)}
    assert by_task == {"t-a": 4, "t-b": 4}
    assert any("s1.gz is used in part" in words for words in summary["warnings"])
    assert not any("s2.jsonl" in words or "s3.gz" in words for words in summary["warnings"])
    checked(workspace)


def test_a_file_of_which_no_line_is_in_a_group_is_named(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path, {"s1.jsonl": encoded(session("a")), "s2.jsonl": encoded([{"no": 1}])}, SETTINGS
    )
    warned = [words for words in run_all(workspace)["warnings"] if words.startswith("source: ")]
    assert len(warned) == 1
    assert "s2.jsonl: none of its 1 line could be used (missing_field 1)" in warned[0]


def test_p2_alone_writes_what_the_whole_run_writes(tmp_path: Path) -> None:
    whole = make_workspace(tmp_path / "whole", many(), SETTINGS)
    run_all(whole)
    alone = make_workspace(tmp_path / "alone", many(), SETTINGS)
    stamp = ("--recorded-at", "2026-01-01T00:00:00Z")
    for command in ("materialize", "score", "export"):
        assert cli.main([command, "-C", str(alone), *stamp]) == 0
    assert output_bytes(alone) == output_bytes(whole)
