"""Sources, evidence and skips counted from the files, however the sources are stored."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import zstandard

from pipeline.audit import p0_recon, p2_evidence, p3_verdicts, p4_exports, p5_receipts
from pipeline.audit.scan import FileScan
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus
from tests.pipeline.audit.audited import view_of
from tests.pipeline.engine.workspaces import (
    SETTINGS,
    encoded,
    engine,
    flat_line,
    make_workspace,
    run_all,
    source_bytes,
)

CHECKS = (p2_evidence.dry_run, p2_evidence.conserves, p2_evidence.provenance)
PARTS = """\
[[stream]]
name = "judged"
path = "data/_kb/judged.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
[[stream.parts]]
[stream.parts.fields]
response = "first"
verdict = { path = "winner", map = { first = "pass", second = "fail" } }
[[stream.parts]]
[stream.parts.fields]
response = "second"
verdict = { path = "winner", map = { first = "fail", second = "pass" } }
"""


def failed(workspace: Path) -> list[int]:
    view = view_of(workspace)
    return [check(view).failed for check in CHECKS]


def test_compressed_sources_are_resolved_in_their_decompressed_bytes(tmp_path: Path) -> None:
    plain = source_bytes()
    sources = {
        "runs-a.jsonl": gzip.compress(plain["runs-a.jsonl"]),
        "runs-b.jsonl": zstandard.compress(plain["runs-b.jsonl"]),
        "chats.jsonl": b"\xef\xbb\xbf" + plain["chats.jsonl"],
    }
    made = make_workspace(tmp_path / "w", sources)
    run_all(made)
    assert failed(made) == [0, 0, 0]
    assert p2_evidence.provenance(view_of(made)).examined == 122


def test_a_damaged_archive_fails_and_is_named(tmp_path: Path) -> None:
    plain = source_bytes()
    made = make_workspace(tmp_path / "w", {"runs-a.jsonl": gzip.compress(plain["runs-a.jsonl"])})
    run_all(made)
    path = made / "data/_kb/runs-a.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    outcome = p2_evidence.dry_run(view_of(made))
    assert outcome.failed == 1
    assert "is cut short: the run read" in outcome.detail


def test_an_archived_source_root_outside_is_read_by_its_name(tmp_path: Path) -> None:
    outside = tmp_path / "logs"
    outside.mkdir()
    (outside / "runs-a.jsonl").write_bytes(source_bytes()["runs-a.jsonl"])
    settings = SETTINGS.replace('"data/_kb/runs*.jsonl"', f'"{outside}/runs*.jsonl"')
    made = make_workspace(tmp_path / "w", {}, f'[workspace]\nsource_roots = ["{outside}"]\n\n{settings}')
    run_all(made)
    assert failed(made) == [0, 0, 0]


def test_a_source_that_was_moved_away_is_source_gone_and_no_failure(workspace: Path) -> None:
    (workspace / "data/_kb/chats.jsonl").unlink()
    assert failed(workspace) == [0, 0, 0]
    view = view_of(workspace)
    outcome = p2_evidence.provenance(view)
    assert outcome.examined == 122
    assert "source_gone: 20 rows rest on the recorded digest, 1 file was moved away" in outcome.detail
    assert "source_gone: 20 rows" in p2_evidence.conserves(view).detail


def test_a_source_that_no_stream_reads_any_more_is_still_resolved(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text("utf-8").replace("chats*.jsonl", "talks*.jsonl"), encoding="utf-8")
    outcome = p2_evidence.provenance(view_of(workspace))
    assert (outcome.failed, outcome.detail) == (0, "all 122 rows were resolved, no sample")
    source = workspace / "data/_kb/chats.jsonl"
    source.write_bytes(source.read_bytes().replace(b"node 3", b"node 4", 1))
    assert p2_evidence.provenance(view_of(workspace)).failed == 1


def test_of_a_source_that_no_stream_reads_only_what_the_run_read_is_read(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text("utf-8").replace("chats*.jsonl", "talks*.jsonl"), encoding="utf-8")
    with (workspace / "data/_kb/chats.jsonl").open("ab") as file:
        file.write(b'{"task": "appended since"}\n')
    found = p2_evidence._Resolver(view_of(workspace)).find("chats", "data/_kb/chats.jsonl")
    assert isinstance(found, FileScan)
    assert found.lines == 20


def test_lines_appended_since_the_run_are_not_missed_and_not_counted(workspace: Path) -> None:
    source = workspace / "data/_kb/runs-b.jsonl"
    with source.open("ab") as file:
        file.write(encoded([flat_line(number) for number in range(500, 510)]))
    assert failed(workspace) == [0, 0, 0]
    view = view_of(workspace)
    assert p2_evidence.conserves(view).examined == 129
    assert "10 of them since the last run" in p0_recon.source(view, view.settings.stream("runs"))().detail


def test_a_torn_tail_that_was_completed_since_is_no_failure(tmp_path: Path) -> None:
    sources = source_bytes()
    whole = encoded([flat_line(700)])
    sources["runs-b.jsonl"] += whole[:-9]
    made = make_workspace(tmp_path / "w", sources)
    run_all(made)
    assert failed(made) == [0, 0, 0]
    with (made / "data/_kb/runs-b.jsonl").open("ab") as file:
        file.write(whole[-9:])
    assert failed(made) == [0, 0, 0]


def test_the_last_part_of_a_line_that_went_missing_is_seen(tmp_path: Path) -> None:
    lines = [
        {"task": f"t{n}", "ask": f"q {n}?", "first": f"one {n}", "second": f"two {n}", "winner": "first"}
        for n in range(4)
    ]
    made = make_workspace(tmp_path / "w", {"judged.jsonl": encoded(lines)}, PARTS)
    run_all(made)
    assert failed(made) == [0, 0, 0]
    evidence = made / paths.evidence_file("judged")
    rows = evidence.read_bytes().splitlines(keepends=True)
    evidence.write_bytes(b"".join(rows[:-1]))
    outcome = p2_evidence.conserves(view_of(made))
    assert outcome.failed == 1
    assert outcome.examples[0].line == 4
    assert "has 1 evidence rows, and yields 2" in outcome.examples[0].text


def test_a_line_in_both_places_is_seen(workspace: Path) -> None:
    skips = workspace / paths.DISTILLATION_SKIPS
    row = skips.read_bytes().splitlines(keepends=True)[0]
    skips.write_bytes(skips.read_bytes() + row.replace(b'"line":61', b'"line":1'))
    outcome = p2_evidence.conserves(view_of(workspace))
    assert "both in evidence and among the skips" in outcome.examples[0].text


def test_evidence_of_a_line_that_does_not_exist_is_seen(workspace: Path) -> None:
    evidence = workspace / paths.evidence_file("runs")
    evidence.write_bytes(evidence.read_bytes().replace(b'"line":1,', b'"line":4000000000000,', 1))
    assert p2_evidence.conserves(view_of(workspace)).failed == 2  # that row, and line 1 without one
    assert p2_evidence.provenance(view_of(workspace)).failed == 1


def test_a_run_id_that_does_not_follow_from_its_line_is_seen(workspace: Path) -> None:
    evidence = workspace / paths.evidence_file("runs")
    evidence.write_bytes(evidence.read_bytes().replace(b'"run_id":"runs/', b'"run_id":"runs/0', 1))
    outcome = p2_evidence.provenance(view_of(workspace))
    assert outcome.failed == 1
    assert "does not follow from its line" in outcome.examples[0].text


def test_a_tier_2_stream_that_yields_nothing_is_no_failure_of_the_dry_run(tmp_path: Path) -> None:
    settings = SETTINGS.replace('name = "chats"\n', 'name = "chats"\ntier = 2\n')
    made = make_workspace(tmp_path / "w", {**source_bytes(), "chats.jsonl": b"{}\n"}, settings)
    assert p2_evidence.dry_run(view_of(made)).failed == 0
    first = make_workspace(tmp_path / "w1", {**source_bytes(), "chats.jsonl": b"{}\n"})
    assert p2_evidence.dry_run(view_of(first)).failed == 1


def test_no_row_from_any_source_fails_the_dry_run(tmp_path: Path) -> None:
    made = make_workspace(tmp_path / "w", {})
    outcome = p2_evidence.dry_run(view_of(made))
    assert (outcome.examined, outcome.failed) == (1, 1)
    assert "no source yields a row" in outcome.detail


def test_the_source_check_tells_the_age_of_the_newest_line(workspace: Path) -> None:
    view = view_of(workspace)
    source = workspace / "data/_kb/chats.jsonl"
    os.utime(source, (time.time() - 7200,) * 2)
    outcome = p0_recon.source(view, view.settings.stream("chats"))()
    assert (outcome.examined, outcome.status) == (20, None)
    assert "written 2.0 h ago (data/_kb/chats.jsonl)" in outcome.detail


def test_an_empty_or_absent_source_warns(tmp_path: Path) -> None:
    made = make_workspace(tmp_path / "w", {"chats.jsonl": b""})
    view = view_of(made)
    assert p0_recon.source(view, view.settings.stream("chats"))().status is CheckStatus.WARN
    assert p0_recon.source(view, view.settings.stream("runs"))().observed == "absent"


def test_stage_by_stage_leaves_what_the_checks_accept(tmp_path: Path) -> None:
    made = make_workspace(tmp_path / "w")
    for command in ("materialize", "score", "export"):
        assert engine(made, command).returncode == 0
    view = view_of(made)
    later = (p3_verdicts.coverage, p4_exports.quarantine_balances, p5_receipts.receipts_match)
    assert [check(view).failed for check in (*CHECKS, *later)] == [0] * 6
