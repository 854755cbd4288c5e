"""A line that has no end within reach ends the look: named, never clear, and not waited for.

The files are as large as no machine could read while a test runs, and hold nothing (sparse).
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.firewall import line_feed
from pipeline.firewall.line_feed import MOST_PASSED_OVER, LineFeed, bounded_lines
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from tests.pipeline.firewall.corpus import Corpus, honest

ENDLESS = 2**40


@pytest.fixture(autouse=True)
def _bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a file is what a test would wait for: reading past every bound is no success."""
    read = [0]
    pread = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        data = pread(descriptor, size, offset)
        read[0] += len(data)
        assert read[0] < 8 * MOST_PASSED_OVER, "read on behind every bound"
        return data

    monkeypatch.setattr(os, "pread", counted)


def look(corpus: Corpus) -> Report:
    return scan(Places.of(corpus.root, None, (), ()))


def lengthen(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.truncate(ENDLESS)


def test_an_export_whose_line_has_no_end_is_no_clear_one(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row())
    lengthen(corpus.sft)
    report = look(corpus)
    first = report.findings.first[0]
    assert (report.state, report.sha256) == (State.BREACH, None)
    assert (first.file, first.line, first.detail) == (report.file, 2, "line over 16 MiB")
    assert report.detail == "line 2 has no end within 64 MiB; the rest of the file was not read"


@pytest.mark.parametrize("folder", [paths.EVIDENCE, paths.SCORED_RUNS])
def test_evidence_and_verdicts_whose_line_has_no_end_leave_the_export_unknown(
    tmp_path: Path, folder: Path
) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row())
    path = min((corpus.root / folder).glob("*.jsonl"))
    lengthen(path)
    report = look(corpus)
    assert report.state is State.UNKNOWN
    assert report.detail.startswith(f"{path.name}: the line that ends behind byte ")
    assert report.detail.endswith("is over 64 MiB; the rest was not read")


@pytest.mark.parametrize("export", ["rag", "preference"])
def test_the_other_exports_are_read_within_the_same_bound(tmp_path: Path, export: str) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row())
    path = corpus.root / paths.EXPORT_FILES[export]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"tags":"","shape":""')
    # A row that has no end does not tell its version.
    manifest = corpus.root / paths.EXPORTS / "manifest.json"
    manifest.write_text('{"schemas":{"sft":2,"rag":2,"preference":2}}')
    lengthen(path)
    report = look(corpus)
    assert report.state is not State.CLEAR
    assert f"{paths.EXPORT_FILES[export]}: cannot be read: line 1 is over 64 MiB" in report.detail


def test_a_formatted_file_without_a_receipt_is_not_digested(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row())
    lengthen(corpus.root / paths.FORMATTED / "chatml" / "train.jsonl")
    report = look(corpus)
    assert report.state is State.BREACH
    assert report.findings.first[0].file == f"{paths.FORMATTED}/chatml/train.jsonl"


def test_a_feed_says_when_a_line_is_endless_and_forgets_it_at_its_end() -> None:
    feed = LineFeed()
    piece = bytes(MOST_PASSED_OVER // 2)
    said = [(list(feed.feed(each)), feed.is_endless) for each in (piece, piece, b"x")]
    assert [len(blocks) for blocks, _ in said] == [1, 0, 0]
    assert [endless for _, endless in said] == [False, False, True]
    assert [block.data for block in feed.feed(b"\nnext\n")] == [b"next\n"]
    assert not feed.is_endless


def test_lines_are_bounded_and_the_one_that_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_feed, "MOST_PASSED_OVER", 2**20)
    fits = b"x" * (2**20 - 1) + b"\n"
    assert list(bounded_lines(io.BytesIO(b"a\n" + fits + b"c"))) == [b"a\n", fits, b"c"]
    file = io.BytesIO(b"a\nx" + fits * 9)
    with pytest.raises(OSError, match="line 2 is over 1 MiB"):
        list(bounded_lines(file))
    assert file.tell() == 2 + 2**20 + 1
