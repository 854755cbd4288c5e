"""No source stops the others: a run names what it cannot use, and goes on."""

from __future__ import annotations

import bz2
import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import p2_evidence, p5_receipts
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, InputError
from pipeline.engine import run_all as engine_run
from pipeline.engine.long_rows import MAX_ROW_BYTES, MAX_ROWS_BYTES, MAX_SIDE_BYTES
from pipeline.engine.mapping import map_sources
from pipeline.engine.source_troubles import SourceLostError
from pipeline.settings.load import load_settings
from pipeline.streams.compiled import MAX_PARTS
from tests.pipeline.engine.workspaces import (
    SETTINGS,
    encoded,
    engine,
    flat_line,
    make_workspace,
    output_bytes,
    rows,
    run_all,
    source_bytes,
)

GOOD = source_bytes()["runs-b.jsonl"]
MORE = encoded([flat_line(number) for number in range(500, 560)])
DOCUMENT = b"[" + MORE.strip().replace(b"\n", b",\n") + b"]"


def warnings(summary: dict[str, object]) -> list[str]:
    found = summary["warnings"]
    assert isinstance(found, list)
    return [words for words in found if words.startswith("source: ")]


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # The name of a socket is short, so it is bound from where it lies.
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere.jsonl")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_pipe, "a named pipe"),
        (make_socket, "a socket"),
        (make_device, "a device"),
        (make_dangling, "a link that leads nowhere"),
    ],
)
def test_what_is_no_file_is_named_never_opened_and_stops_nothing(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    plain = make_workspace(tmp_path / "plain", {"runs-b.jsonl": GOOD})
    run_all(plain)
    workspace = make_workspace(tmp_path / "w", {"runs-b.jsonl": GOOD})
    make(workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl")
    said = [f"source: runs: data/_kb/runs-a.jsonl is not read: {words}"]
    assert warnings(run_all(workspace)) == said
    assert output_bytes(workspace) == output_bytes(plain)
    # A run that finds nothing changed says so again.
    assert warnings(run_all(workspace)) == said
    checked = engine(workspace, "streams", "check")
    assert checked.returncode == 4
    assert words in checked.stdout
    assert "chats  (source)" in checked.stdout


def test_a_folder_counts_as_trouble_only_where_it_is_named(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs-b.jsonl": GOOD})
    (workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl").mkdir()
    assert warnings(run_all(workspace)) == []
    settings = workspace / paths.SETTINGS
    named = '["data/_kb/runs-a.jsonl", "data/_kb/runs-b.jsonl"]'
    settings.write_text(settings.read_text("utf-8").replace('"data/_kb/runs*.jsonl"', named), "utf-8")
    (warning,) = warnings(run_all(workspace))
    assert "data/_kb/runs-a.jsonl is not read: a folder" in warning


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_costs_itself(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": MORE, "runs-b.jsonl": GOOD})
    (workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl").chmod(0)
    (warning,) = warnings(run_all(workspace))
    assert "data/_kb/runs-a.jsonl is not read: cannot be read: Permission denied" in warning


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_may_not_be_listed_ends_the_run_before_it_loses_rows(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": MORE, "runs-b.jsonl": GOOD})
    run_all(workspace)
    before = output_bytes(workspace)
    sources = workspace / paths.KNOWLEDGE_BASE
    sources.chmod(0o300)  # written to, and passed through, but not listed
    try:
        finished = engine(workspace, "run-all")
    finally:
        sources.chmod(0o700)
    assert finished.returncode == 3, finished.stderr
    assert "data/_kb could not be read: Permission denied" in finished.stderr
    assert output_bytes(workspace) == before


def test_an_archive_that_grows_beyond_measure_is_not_used_at_all(tmp_path: Path) -> None:
    bomb = bz2.compress(b"0" * 2**27)
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": bomb, "runs-b.jsonl": GOOD})
    (warning,) = warnings(run_all(workspace))
    assert "data/_kb/runs-a.jsonl is not used: the archive grows beyond measure" in warning


@pytest.mark.parametrize("cut", [60, 1])
def test_an_archive_that_is_cut_short_gives_its_whole_lines_and_one_skip(tmp_path: Path, cut: int) -> None:
    workspace = make_workspace(
        tmp_path / "w", {"runs-a.jsonl": gzip.compress(MORE)[:-cut], "runs-b.jsonl": GOOD}
    )
    for chunk_bytes in ("4KiB", "64MiB"):
        summary = run_all(workspace, "--chunk-bytes", chunk_bytes)
        (warning,) = warnings(summary)
        assert "data/_kb/runs-a.jsonl is used in part: the archive ends in the middle" in warning
        counts = summary["counts"]
        assert counts["lines"] == counts["mapped"] + counts["looked_up"] + counts["skipped"]
        of_archive = [skip for skip in rows(workspace, paths.DISTILLATION_SKIPS) if "runs-a" in skip["file"]]
        assert [skip["reason"] for skip in of_archive] == ["archive_damaged"]
        used = [
            row
            for row in rows(workspace, paths.EVIDENCE / "runs.jsonl")
            if row["provenance"]["source_file"].endswith("runs-a.jsonl")
        ]
        assert len(used) == of_archive[0]["line"] - 1 > 0
        assert judged(workspace) == [0, 0, 0, 0]


def test_an_archive_that_is_mended_since_is_no_failure_and_is_used_whole(tmp_path: Path) -> None:
    whole = gzip.compress(MORE)
    # Cut in the checksum: every line is there, so that what is missing has no bytes of its own.
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": whole[:-1], "runs-b.jsonl": GOOD})
    run_all(workspace)
    assert judged(workspace) == [0, 0, 0, 0]
    (workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl").write_bytes(whole)
    assert judged(workspace) == [0, 0, 0, 0]
    assert warnings(run_all(workspace)) == []


def judged(workspace: Path) -> list[int]:
    view = WorkspaceView(workspace, load_settings(workspace).settings)
    checks = (p2_evidence.dry_run, p2_evidence.conserves, p2_evidence.provenance, p5_receipts.receipts_match)
    return [check(view).failed for check in checks]


def test_a_file_of_no_use_is_named_with_what_it_looks_like(tmp_path: Path) -> None:
    table = b"task,ask\nt1,a\nt2,b\n"
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": table, "runs-b.jsonl": GOOD})
    (warning,) = warnings(run_all(workspace))
    assert "data/_kb/runs-a.jsonl: none of its 3 lines could be used (malformed_json 3)" in warning
    assert "CSV" in warning


def test_a_file_of_lines_that_stand_elsewhere_too_is_no_trouble(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": GOOD, "runs-b.jsonl": GOOD})
    assert warnings(run_all(workspace)) == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_file_that_shrinks_is_looked_at_again_and_then_left_out(
    tmp_path: Path, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrinks = 0

    def shrinking(session: Any, context: Any, sources: Any, *arguments: Any, **options: Any) -> Any:
        """The last source turns out to be shorter, so many times."""
        nonlocal shrinks
        if shrinks < times:
            shrinks += 1
            path = sources[-1].file.path
            fault = Fault("source_shrank", f"{path} became shorter.", "", "", file=str(path))
            raise SourceLostError(sources[-1].stream, sources[-1].file.relative, InputError(fault))
        return map_sources(session, context, sources, *arguments, **options)

    monkeypatch.setattr(engine_run, "map_sources", shrinking)
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": MORE, "runs-b.jsonl": GOOD})
    (workspace / paths.SETTINGS).write_text(
        (workspace / paths.SETTINGS).read_text("utf-8").split('[[stream]]\nname = "chats"')[0], "utf-8"
    )
    from pipeline.cli import main

    assert main(["run-all", "--workers", "1", "-C", str(workspace)]) == 0
    of_last = [
        row
        for row in rows(workspace, paths.EVIDENCE / "runs.jsonl")
        if row["provenance"]["source_file"].endswith("runs-b.jsonl")
    ]
    assert bool(of_last) is (times == 1)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (
            {"runs-a.jsonl": GOOD, "runs-b.jsonl": b"[" + MORE.strip().replace(b"\n", b",\n") + b"]"},
            ["data/_kb/runs-b.jsonl"],
        ),
        ({"runs-b.jsonl": b"[" + MORE.strip().replace(b"\n", b",\n") + b"]"}, []),  # a stream of documents
        ({"runs-a.jsonl": GOOD, "runs-b.jsonl": MORE}, []),
    ],
)
def test_a_document_among_files_of_lines_is_read_and_named(
    tmp_path: Path, files: dict[str, bytes], named: list[str]
) -> None:
    workspace = make_workspace(tmp_path, files)
    summary = run_all(workspace)
    assert [words.rsplit(": ")[-1] for words in warnings(summary)] == named


def test_a_row_that_the_firewall_could_not_read_costs_its_line(tmp_path: Path) -> None:
    long = {**flat_line(900), "said": "x" * (MAX_ROW_BYTES - 200)}
    fitting = {**flat_line(901), "said": "y " * (MAX_SIDE_BYTES // 2 + 100)}
    lines = encoded([flat_line(0), long, fitting, flat_line(2)])
    settings = SETTINGS.split('[[stream]]\nname = "chats"')[0] + "[export.sft]\nmax_tokens = 100000000\n"
    settings += "[export.preference]\nmax_tokens = 100000000\n"
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": lines}, settings)
    counts = run_all(workspace)["counts"]
    (skip,) = rows(workspace, paths.DISTILLATION_SKIPS)
    assert (skip["reason"], skip["line"]) == ("too_long", 2)
    assert (counts["lines"], counts["mapped"], counts["skipped"]) == (4, 3, 1)
    refused = rows(workspace, paths.QUARANTINE_FILES["preference"])
    assert [row["reason"] for row in refused if row["provenance"]["line"] == 3] == ["too_long"]
    assert judged(workspace) == [0, 0, 0, 0]


def test_a_line_that_would_become_endless_rows_stops_nothing_but_itself(tmp_path: Path) -> None:
    settings = '[[stream]]\nname = "runs"\npath = "data/_kb/runs-a.jsonl"\nparts = { each = "says" }\n' + (
        '[stream.fields]\ntask_id = "id"\ncontext = "ctx"\nresponse = "_part"\nreward = "ok"\n'
    )
    lines = [
        {"id": "small", "ctx": "c", "says": ["a", "b"], "ok": 1},
        # 1 MB that 400 rows would hold each.
        {"id": "copied", "ctx": "c" * 10**6, "says": ["a"] * 400, "ok": 1},
        {"id": "many", "ctx": "c", "says": ["a"] * (MAX_PARTS + 1), "ok": 1},
        {"id": "last", "ctx": "d" * 10**6, "says": ["e"], "ok": 1},
    ]
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": encoded(lines)}, settings)
    counts = run_all(workspace)["counts"]
    skips = {
        skip["line"]: (skip["reason"], skip["detail"]) for skip in rows(workspace, paths.DISTILLATION_SKIPS)
    }
    assert skips == {
        2: ("too_long", f"its 400 rows are more than {MAX_ROWS_BYTES} bytes of evidence together"),
        3: ("value_out_of_range", "parts: 100,001 parts; at most 100,000"),
    }
    assert (counts["mapped"], counts["skipped"], counts["evidence"]) == (2, 2, 3)
    assert judged(workspace) == [0, 0, 0, 0]
