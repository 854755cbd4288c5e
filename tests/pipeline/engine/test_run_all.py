"""What a whole run must come out with, whatever way its work was divided."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
import zstandard

from pipeline.contracts import paths
from tests.pipeline.engine.workspaces import (
    chat_line,
    encoded,
    engine,
    flat_line,
    make_workspace,
    output_bytes,
    rows,
    run_all,
    source_bytes,
)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, bytes]]:
    """One run with one worker: workspace, run_hash, bytes of all outputs."""
    workspace = make_workspace(tmp_path_factory.mktemp("straight") / "w")
    summary = run_all(workspace, "--workers", "1")
    return workspace, summary["run_hash"], output_bytes(workspace)


@pytest.mark.parametrize("workers", ["1", "2", "3"])
@pytest.mark.parametrize("chunk_bytes", ["1KiB", "64KiB", "8MiB"])
def test_workers_and_chunk_size_change_no_byte(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]], workers: str, chunk_bytes: str
) -> None:
    workspace = make_workspace(tmp_path / "w")
    summary = run_all(workspace, "--workers", workers, "--chunk-bytes", chunk_bytes)
    assert summary["run_hash"] == straight[1]
    assert output_bytes(workspace) == straight[2]


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "77", "TZ": "Asia/Kathmandu"},
        {"LC_ALL": "C", "LANG": "C", "TZ": "America/St_Johns"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_hash_seed_time_zone_and_locale_do_not_show(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]], env: dict[str, str]
) -> None:
    workspace = make_workspace(tmp_path / "w")
    assert run_all(workspace, "--workers", "2", env=env)["run_hash"] == straight[1]
    assert output_bytes(workspace) == straight[2]


def test_the_order_in_which_files_were_made_does_not_show(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]]
) -> None:
    backwards = dict(reversed(list(source_bytes().items())))
    assert run_all(make_workspace(tmp_path / "w", backwards))["run_hash"] == straight[1]


def test_one_changed_byte_changes_the_hash(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]]
) -> None:
    sources = source_bytes()
    sources["runs-b.jsonl"] = sources["runs-b.jsonl"].replace(b"answer 70:", b"answer 7O:")
    assert run_all(make_workspace(tmp_path / "w", sources))["run_hash"] != straight[1]


def test_stage_by_stage_ends_at_the_same_hash_and_bytes(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]]
) -> None:
    workspace = make_workspace(tmp_path / "w")
    summary = {}
    for command in ("materialize", "score", "export"):
        finished = engine(workspace, command, "--json", "--recorded-at", "2026-01-01T00:00:00Z")
        assert finished.returncode == 0, finished.stderr
        summary = json.loads(finished.stdout)
    assert summary["run_hash"] == straight[1]
    written = output_bytes(workspace)
    assert {path: data for path, data in written.items() if path in straight[2]} == straight[2]


def test_exporting_one_by_one_ends_at_the_same_hash(
    tmp_path: Path, straight: tuple[Path, str, dict[str, bytes]]
) -> None:
    workspace = tmp_path / "w"
    shutil.copytree(straight[0], workspace)
    shutil.rmtree(workspace / paths.EXPORTS)
    hashes = []
    for command in ("export-rag", "export-sft", "export-preference"):
        finished = engine(workspace, command, "--json", "--recorded-at", "2026-01-01T00:00:00Z")
        assert finished.returncode == 0, finished.stderr
        hashes.append(json.loads(finished.stdout)["run_hash"])
    assert hashes[-1] == straight[1]
    assert output_bytes(workspace) == straight[2]


def test_lines_and_rows_are_conserved(straight: tuple[Path, str, dict[str, bytes]]) -> None:
    workspace = straight[0]
    summary = json.loads(next((workspace / paths.REPORTS).glob("*/summary.json")).read_bytes())
    counts = summary["counts"]
    assert counts["lines"] == counts["mapped"] + counts["looked_up"] + counts["skipped"]
    assert counts["evidence"] == counts["scored"] == 122
    for export in ("rag", "sft"):
        assert counts["scored"] == counts[export] + counts[f"quarantined_{export}"]
    pairs = rows(workspace, paths.PREFERENCE_EXPORT)
    used = {row[f"{side}_run_id"] for row in pairs for side in ("chosen", "rejected")}
    assert counts["scored"] == len(used) + counts["quarantined_preference"]
    assert len(pairs) == counts["preference"] > 0


def test_duplicates_collapse_to_the_first_and_bad_lines_have_reasons(
    straight: tuple[Path, str, dict[str, bytes]],
) -> None:
    skips = rows(straight[0], paths.DISTILLATION_SKIPS)
    assert Counter(skip["reason"] for skip in skips) == {
        "duplicate_line": 5,
        "malformed_json": 1,
        "not_an_object": 1,
    }
    assert {skip["file"] for skip in skips if skip["reason"] == "duplicate_line"} == {"data/_kb/runs-b.jsonl"}


def test_a_text_with_both_verdicts_is_in_no_export(straight: tuple[Path, str, dict[str, bytes]]) -> None:
    workspace, _, outputs = straight
    for export in (paths.SFT_EXPORT, paths.RAG_EXPORT, paths.PREFERENCE_EXPORT):
        assert b"twice said" not in outputs[str(export)]
    for quarantine in (paths.SFT_QUARANTINE, paths.PREFERENCE_QUARANTINE):
        reasons = Counter(row["reason"] for row in rows(workspace, quarantine))
        assert reasons["conflicting_verdict"] >= 1


def test_conversations_end_on_an_answer_and_keep_tool_arguments(
    straight: tuple[Path, str, dict[str, bytes]],
) -> None:
    chats = [row for row in rows(straight[0], paths.SFT_EXPORT) if row["stream"] == "chats"]
    assert len(chats) == 10
    for row in chats:
        assert row["messages"][-1]["role"] == "assistant"
        assert json.loads(row["messages"][2]["tool_calls"])[0]["arguments"].startswith('{"node":')
    assert b"###STOP###" not in straight[2][str(paths.SFT_EXPORT)]


def test_rows_point_at_the_bytes_they_came_from(straight: tuple[Path, str, dict[str, bytes]]) -> None:
    import hashlib

    workspace = straight[0]
    for stream in ("runs", "chats"):
        for row in rows(workspace, paths.evidence_file(stream)):
            provenance = row["provenance"]
            data = (workspace / provenance["source_file"]).read_bytes()
            line = data[provenance["byte_offset"] :].split(b"\n", 1)[0]
            assert hashlib.sha256(line).hexdigest() == provenance["sig_hash"]
            assert data[: provenance["byte_offset"]].count(b"\n") == provenance["line"] - 1


def test_a_second_run_processes_no_chunk_and_touches_no_file(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    first = run_all(workspace)
    stamps = {path: (workspace / path).stat().st_mtime_ns for path in output_bytes(workspace)}
    second = run_all(workspace, "--recorded-at", "2027-01-01T00:00:00Z")
    assert first["counts"]["chunks_processed"] == first["counts"]["chunks_total"] > 0
    assert second["counts"]["chunks_processed"] == 0
    assert second["run_hash"] == first["run_hash"]
    assert {path: (workspace / path).stat().st_mtime_ns for path in stamps} == stamps


def test_a_copied_workspace_processes_no_chunk_either(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    first = run_all(workspace)
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(workspace, copy)
    for path in (copy / paths.KNOWLEDGE_BASE).iterdir():
        os.utime(path, (1, 1))
    second = run_all(copy)
    assert second["counts"]["chunks_processed"] == 0
    assert second["run_hash"] == first["run_hash"]


def test_only_the_changed_chunk_is_processed_again(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    first = run_all(workspace, "--chunk-bytes", "2KiB")
    assert first["counts"]["chunks_total"] > 10
    source = workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl"
    source.write_bytes(source.read_bytes().replace(b"answer 30:", b"answer 3O:"))
    second = run_all(workspace, "--chunk-bytes", "2KiB")
    assert second["counts"]["chunks_processed"] == 1
    fresh = run_all(make_workspace(tmp_path / "fresh", _sources_of(workspace)), "--chunk-bytes", "2KiB")
    assert second["run_hash"] == fresh["run_hash"]


def _sources_of(workspace: Path) -> dict[str, bytes]:
    return {name: (workspace / paths.KNOWLEDGE_BASE / name).read_bytes() for name in source_bytes()}


def test_appended_lines_give_what_a_run_from_scratch_gives(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    run_all(workspace)
    source = workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl"
    with source.open("ab") as file:
        file.write(encoded([flat_line(number) for number in range(200, 215)]))
    appended = run_all(workspace)
    scratch = run_all(workspace, "--no-cache")
    fresh = make_workspace(tmp_path / "fresh", _sources_of(workspace))
    assert appended["run_hash"] == scratch["run_hash"] == run_all(fresh)["run_hash"]
    assert output_bytes(workspace) == output_bytes(fresh)


def test_a_torn_tail_is_skipped_and_read_again_when_it_is_whole(tmp_path: Path) -> None:
    sources = source_bytes()
    whole = encoded([chat_line(50)])
    sources["chats.jsonl"] += whole[:-20]
    workspace = make_workspace(tmp_path / "w", sources)
    torn = run_all(workspace)
    assert torn["streams"]["chats"]["skipped"] == 1
    assert rows(workspace, paths.DISTILLATION_SKIPS)[-1]["reason"] == "torn_tail"
    with (workspace / paths.KNOWLEDGE_BASE / "chats.jsonl").open("ab") as file:
        file.write(whole[-20:])
    assert run_all(workspace)["streams"]["chats"] == {**torn["streams"]["chats"], "skipped": 0, "mapped": 21,
        "evidence": 21, "accepted": 11}  # fmt: skip


def test_compressed_sources_have_the_offsets_of_their_decompressed_bytes(tmp_path: Path) -> None:
    plain = source_bytes()
    packed = {
        "runs-a.jsonl": gzip.compress(plain["runs-a.jsonl"]),
        "runs-b.jsonl": zstandard.compress(plain["runs-b.jsonl"]),
        "chats.jsonl": plain["chats.jsonl"],
    }
    expected = run_all(make_workspace(tmp_path / "plain"))
    workspace = make_workspace(tmp_path / "packed", packed)
    assert run_all(workspace, "--chunk-bytes", "4KiB")["run_hash"] == expected["run_hash"]
    assert run_all(workspace)["counts"]["chunks_processed"] == 0


def test_an_export_that_had_rows_is_not_emptied_unless_asked(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    run_all(workspace)
    before = output_bytes(workspace)
    for name in source_bytes():
        (workspace / paths.KNOWLEDGE_BASE / name).write_bytes(b"")
    refused = engine(workspace, "run-all")
    assert refused.returncode == 1
    assert "would become empty" in refused.stderr
    assert "no reason refuses more runs or skips more lines than before" in refused.stderr
    assert output_bytes(workspace) == before
    assert run_all(workspace, "--allow-empty")["counts"]["sft"] == 0


def test_a_workspace_that_never_had_rows_gets_empty_exports_and_a_warning(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {})
    finished = engine(workspace, "run-all")
    assert finished.returncode == 0
    assert "has no rows" in finished.stderr
    assert (workspace / paths.SFT_EXPORT).read_bytes() == b""


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_files_of_a_few_lines_work_at_every_cut(tmp_path: Path, count: int) -> None:
    sources = {"runs-a.jsonl": encoded([flat_line(number) for number in range(count)])}
    workspace = make_workspace(tmp_path / "w", sources)
    assert run_all(workspace, "--chunk-bytes", "1KiB", "--workers", "2")["counts"]["evidence"] == count


def test_outputs_of_both_kinds_of_run_hold_private_files(
    straight: tuple[Path, str, dict[str, bytes]],
) -> None:
    for relative in straight[2]:
        assert (straight[0] / relative).stat().st_mode & 0o077 == 0, relative


def test_a_source_whose_name_is_not_ascii_is_read_in_every_locale(tmp_path: Path) -> None:
    sources = {"runs-größe.jsonl": encoded([flat_line(number) for number in range(10)])}
    hashes = {
        run_all(make_workspace(tmp_path / f"w{number}", sources), env=env)["run_hash"]
        for number, env in enumerate(
            ({}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "C.UTF-8"})
        )
    }
    assert len(hashes) == 1
