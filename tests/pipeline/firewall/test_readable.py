"""Lines that are no JSON, or JSON that two readers would read differently, are findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.firewall.line_feed import MAX_LINE_BYTES
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from pipeline.firewall.walls import ALL_WALLS, Wall
from tests.pipeline.firewall.corpus import GOOD, Corpus, Run, honest, line, turn

# Rows of these tests are made up, which the wall of fidelity would say of each.
TOLD_APART = tuple(wall for wall in ALL_WALLS if wall is not Wall.FIDELITY)


def look(corpus: Corpus, *standing: Wall) -> Report:
    return scan(Places.of(corpus.root, None, (), ()), standing or TOLD_APART)


def planted(corpus: Corpus, old: bytes, new: bytes) -> bytes:
    """The first honest row with some bytes changed."""
    data = corpus.sft.read_bytes().splitlines(keepends=True)[0]
    assert data.count(old) == 1
    return data.replace(old, new)


UNREADABLE = [
    pytest.param(b'"id":', b'"quality_score":"rejected","id":', "repeats a key", id="label twice"),
    pytest.param(b'"id":', b'"qualit\\u0079_score":"x","id":', "repeats a key", id="escaped key twice"),
    pytest.param(b'"id":', b'"more":{"a":1,"a":2},"id":', "repeats a key", id="key twice below"),
    pytest.param(b'"part":0', b'"part":0,"part":1', "repeats a key", id="key twice in provenance"),
    pytest.param(b'"context":""', b'"context":{"a":1,"a":2}', "repeats a key", id="in a text's place"),
    pytest.param(b'"context":""', b'"context":["x"]', "context is not a text", id="a list for a text"),
    pytest.param(b'"context":""', b'"context":"\xff"', "not UTF-8", id="bad UTF-8 in a skipped text"),
    pytest.param(b'"context":""', b'"\xffcontext":""', "not UTF-8", id="bad UTF-8 in a key"),
    pytest.param(b'"context":""', b'"context":"\xed\xa0\x80"', "not UTF-8", id="surrogate as UTF-8"),
    pytest.param(b'"context":""', b'"context":"\\ud800"', "lone surrogate", id="lone high surrogate"),
    pytest.param(b'"context":""', b'"context":"\\udc00"', "lone surrogate", id="lone low surrogate"),
    pytest.param(b'"score":0.5', b'"score":NaN', "NaN", id="NaN"),
    pytest.param(b'"score":0.5', b'"score":-Infinity', "-Infinity", id="infinity"),
    pytest.param(b'"score":0.5', b'"score":1e999', "out of range", id="number out of range"),
    pytest.param(b'"score":0.5', b'"score":' + b"9" * 5000, "out of range", id="huge integer"),
    pytest.param(b'"score":0.5', b'"score":.5', "not JSON", id="no digit before the point"),
    pytest.param(b'"score":0.5', b'"score":' + b"[" * 100_000 + b"]" * 100_000, "too deeply", id="deep"),
    pytest.param(b'{"id"', b'\xef\xbb\xbf{"id"', "not JSON", id="byte order mark"),
    pytest.param(b'{"id"', b'{}{"id"', "not JSON", id="two values"),
    pytest.param(b'{"id"', b'\x00{"id"', "not JSON", id="NUL"),
    pytest.param(b'"context":""', b'"context":"\x00"', "not JSON", id="raw control character"),
    pytest.param(b'"response":"Forty-two."', b'"response":42', "response is not a text", id="number"),
    pytest.param(b'"messages":[', b'"messages":{},"x":[', "messages is not a list", id="no list"),
    pytest.param(b'"messages":[', b'"messages":[1,', "no turn", id="no turn"),
    pytest.param(b'"messages":[', b'"messages":[{"role":"user","content":1},', "text", id="no text"),
    pytest.param(b'"messages":[', b'"messages":[{"role":"user","role":"x"},', "repeats", id="role twice"),
    pytest.param(b'"tools":""', b'"tools":{"a":1,"a":2}', "repeats a key", id="key twice in tools"),
]


@pytest.mark.parametrize(("old", "new", "said"), UNREADABLE)
def test_such_a_line_is_found_and_its_neighbours_are_still_read(
    tmp_path: Path, old: bytes, new: bytes, said: str
) -> None:
    corpus, runs = honest(tmp_path)
    bad = planted(corpus, old, new)
    corpus.export(runs["good"].row(), bad, runs["bad"].row())
    report = look(corpus)
    walls = {finding.line: finding.wall for finding in report.findings.first}
    if not said:  # readable, only not as our exporter writes it
        assert 2 not in walls
        return
    assert walls[2] == "readable"
    assert said in report.findings.first[0].detail
    assert 1 not in walls
    assert 3 in walls
    assert report.rows_read == 3


@pytest.mark.parametrize("wall", list(Wall))
def test_a_line_that_cannot_be_read_passes_no_wall_that_stands_alone(tmp_path: Path, wall: Wall) -> None:
    corpus, _ = honest(tmp_path)
    corpus.export(b"not json\n")
    report = look(corpus, wall)
    assert [finding.wall for finding in report.findings.first] == [wall.value]


@pytest.mark.parametrize("blank", [b"\n", b"  \t\n", b"\r\n"])
def test_a_blank_line_is_found(tmp_path: Path, blank: bytes) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(), blank, runs["partly"].row())
    (finding,) = look(corpus).findings.first
    assert (finding.wall, finding.line, finding.detail) == ("readable", 2, "blank line")


def test_a_value_over_two_lines_is_two_unreadable_lines(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    good = line(runs["good"].row())
    corpus.export(good.replace(b'"context":""', b'"context":{"a":\n1}'), good)
    report = look(corpus)
    assert [finding.line for finding in report.findings.first] == [1, 2]
    assert report.rows_read == 3


def test_a_value_over_two_lines_in_the_label_wall_alone(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    corpus.export(b'{"quality_score":\n"accepted"}\n{"quality_score":"accepted"}\n')
    assert [finding.line for finding in look(corpus, Wall.LABEL).findings.first] == [1, 2]


def test_a_last_line_without_its_end_is_found_and_judged(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(), line(runs["open"].row()).rstrip(b"\n"))
    report = look(corpus)
    assert [(finding.wall, finding.line) for finding in report.findings.first] == [
        ("readable", 2),
        ("label", 2),
        ("lineage", 2),
    ]
    assert report.rows_read == 2


def test_rows_spelled_another_way_are_readable(tmp_path: Path) -> None:
    """CRLF, spaces, escapes and another order of keys are no findings: only slower to read."""
    corpus, runs = honest(tmp_path)
    good = line(runs["good"].row())
    reordered = dict(reversed(runs["good"].row().items()))
    for spelled in (
        good.replace(b"\n", b"\r\n"),
        good.replace(b'":', b'" : '),
        good.replace(b"Forty", rb"\u0046orty"),
        line(reordered),
        line(runs["good"].row(extra={"a": [1e22, None]})),
        line(runs["good"].row(context="ünïcode 数据 🙂")),
    ):
        corpus.export(runs["partly"].row(), spelled)
        assert look(corpus).state is State.CLEAR, spelled


def test_a_line_over_the_limit_is_found_once_and_its_neighbours_are_read(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    huge = line(runs["good"].row(context="x" * MAX_LINE_BYTES))
    corpus.export(runs["good"].row(), huge, runs["open"].row())
    report = look(corpus)
    first, *rest = report.findings.first
    assert (first.wall, first.line, first.detail) == ("readable", 2, "line over 16 MiB")
    assert first.byte_offset == len(line(runs["good"].row()))
    assert {finding.line for finding in rest} == {3}
    assert rest[0].byte_offset == first.byte_offset + len(huge)


def test_a_line_as_long_as_allowed_is_read(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(context="x" * (MAX_LINE_BYTES - 1000)))
    assert look(corpus).state is State.CLEAR


def test_line_and_offset_of_a_finding_lead_to_its_bytes(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    many = [Run(f"good-{number}", GOOD) for number in range(600)]
    corpus.runs(*many, runs["open"])
    good = [run.row(context="ü" * 5000) for run in many]
    bad = line(runs["open"].row(messages=[turn("user", "?"), turn("assistant", "Maybe 41.")]))
    corpus.export(*good[:300], bad, *good[300:])
    finding = look(corpus).findings.first[0]
    assert finding.line == 301
    assert corpus.sft.read_bytes()[finding.byte_offset :].startswith(bad)
