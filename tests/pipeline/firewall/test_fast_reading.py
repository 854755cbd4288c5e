"""The fast way of reading gives what the slow one gives, and is the way that honest rows take."""

from __future__ import annotations

import json
import os
import unicodedata
from typing import Any
from zlib import crc32

import msgspec
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.contracts.untrusted import visible
from pipeline.firewall import sft_row, sketches, strict_json, text_forms
from pipeline.firewall.conversation import Message
from pipeline.firewall.file_scan import FileScan
from pipeline.firewall.index import Index
from pipeline.firewall.line_feed import MAX_LINE_BYTES, LineFeed
from pipeline.firewall.places import Place, Places
from pipeline.firewall.plain_files import open_regular
from pipeline.firewall.run_table import RunTable, Verdict, has_evidence, place_of, verdict_of
from pipeline.firewall.sketches import EDGE
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.walls import ALL_WALLS, QUOTED, Offence, Wall, Walls
from pipeline.schemas.evidence import EvidenceRecord
from pipeline.schemas.scored_run import ScoredRun
from pipeline.schemas.sft import SftSample
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, honest, line, turn
from tests.pipeline.firewall.test_same_rules import pairs

Finding = tuple[str, int, int, str]
_TOLD = 30  # characters of a detail; only the first findings name the rejected run after them


def test_a_row_as_the_engine_writes_it_takes_the_fast_way() -> None:
    """The order of members is the schema's: if it changes, only speed is lost, and this test says so."""
    messages = [turn("user", "ü"), turn("assistant", None, [("f", '{"a": "\\n"}')]), turn("assistant", "x")]
    row = Run("good", GOOD, "x", messages=messages).row(score=1.0)
    assert list(row) == list(SftSample.model_fields)
    assert list(row) == list(sft_row.SftRow.__struct_fields__)
    block = orjson.dumps(row) + b"\n"
    assert sft_row.read_block(block * 3) is not None


def test_a_row_of_version_1_takes_the_fast_way_too() -> None:
    messages = [turn("user", "ü"), turn("assistant", None, [("f", '{"a": "\\n"}')]), turn("assistant", "x")]
    for row in (Run("good", GOOD), Run("good", GOOD, "x", messages=messages)):
        block = orjson.dumps(row.row_of_version_1(score=1.0)) + b"\n"
        assert sft_row.read_block(block * 3) is not None


CALLS = '[{"id":"call_0","name":"f","arguments":"{}"}]'


@pytest.mark.parametrize(
    "calls",
    [
        "f()",
        "[",
        "{}",
        '"f"',
        " ",
        CALLS.replace('"name":"f"', '"name":"f","name":"g"'),
        CALLS.replace('"{}"', "{}"),
        CALLS.replace('"f"', "7"),
        CALLS + CALLS,
    ],
)
def test_calls_that_cannot_be_read_are_a_finding_although_they_are_a_text(
    calls: str, planted: tuple[Corpus, Index, list[bytes]]
) -> None:
    corpus, index, rows = planted
    row = json.loads(rows[3])
    row["messages"][-1]["tool_calls"] = calls
    corpus.export(line(row))
    found = quickly(corpus, index)
    assert [wall for wall, *_ in found] == ["readable"]
    assert found == slowly(corpus, index)


@pytest.mark.parametrize(
    "spelling", [CALLS, CALLS.replace(":", ": "), CALLS.replace('"f"', '"f","type":"x"')]
)
def test_calls_in_another_spelling_are_the_same_calls(
    spelling: str, planted: tuple[Corpus, Index, list[bytes]]
) -> None:
    """The rejected run ``wrong`` called f and then said this; only the call is spelt otherwise here."""
    corpus, index, rows = planted
    row = json.loads(rows[4])
    row["messages"][1]["tool_calls"] = spelling
    corpus.export(line(row))
    assert [wall for wall, *_ in quickly(corpus, index)] == ["content"]


@pytest.mark.parametrize("tools", ['{"a":1,"a":2}', '["a",{"b":1,"b":1}]'])
def test_a_key_repeated_inside_tools_that_are_no_text_is_a_finding(
    tools: str, planted: tuple[Corpus, Index, list[bytes]]
) -> None:
    corpus, index, rows = planted
    corpus.export(rows[3].replace(b'"tools":""', b'"tools":' + tools.encode()))
    assert [wall for wall, *_ in quickly(corpus, index)] == ["readable"]


def test_evidence_and_scored_rows_as_the_engine_writes_them_take_the_fast_way() -> None:
    from pipeline.firewall import index_rows

    run = Run("good", GOOD, messages=[turn("assistant", "x")])
    assert (
        list(run.evidence())
        == list(EvidenceRecord.model_fields)
        == list(index_rows.EvidenceRow.__struct_fields__)
    )
    line = orjson.dumps(run.evidence())
    assert msgspec.json.encode(msgspec.json.decode(line, type=index_rows.EvidenceRow)) == line
    assert list(run.scored()) == list(ScoredRun.model_fields) == list(index_rows.ScoredRow.__struct_fields__)


def slowly(corpus: Corpus, index: Index) -> list[Finding]:
    """The oracle: every line by itself through the strict reader and the judge."""
    walls, found, offset, seen = Walls(index), [], 0, set[str]()
    for number, raw in enumerate(corpus.sft.read_bytes().split(b"\n")[:-1], 1):
        try:
            value = strict_json.read(raw)
            offences = walls.judge(sft_row.read_slowly(raw))
            run_id = value.get("source_run_id")
            other = min(_members_of_none(value), default=None)
            if other is not None and walls.fidelity and not any(each.is_breach for each in offences):
                said = f"it has a field that no exporter writes: '{visible(other, QUOTED)}'"
                offences.append(Offence(Wall.FIDELITY, said))
            if isinstance(run_id, str) and not any(each.is_breach for each in offences):
                if run_id in seen:
                    offences.append(Offence(Wall.LINEAGE, "its run is that of an earlier row"))
                elif has_evidence(index.runs.get(run_id)):
                    seen.add(run_id)
            found += [
                (offence.wall.value, number, offset, offence.detail[:_TOLD])
                for offence in offences
                if offence.is_breach
            ]
        except UnreadableError as error:
            found.append(("readable", number, offset, str(error)[:_TOLD]))
        offset += len(raw) + 1
    return found


def _members_of_none(row: dict[str, Any]) -> set[str]:
    """Of the row, else of its turns."""
    turns = [turn for turn in row.get("messages") or () if isinstance(turn, dict)]
    return row.keys() - set(sft_row.SftRow.__struct_fields__) or {
        name for turn in turns for name in turn.keys() - set(Message.__struct_fields__)
    }


def quickly(corpus: Corpus, index: Index) -> list[Finding]:
    scan = FileScan(open_regular(corpus.sft), "sft", Walls(index, ALL_WALLS))
    try:
        while scan.advance():
            pass
    finally:
        os.close(scan.descriptor)
    return [(f.wall, f.line, f.byte_offset, f.detail[:_TOLD]) for f in scan.findings.first]


def index_of(corpus: Corpus) -> Index:
    index = Index(*Places.of(corpus.root, None, (), ()).index_files())
    for _ in index.build():
        pass
    return index


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Index, list[bytes]]:
    corpus, runs = honest(tmp_path_factory.mktemp("workspace"))
    talk = [turn("user", "Hm?"), turn("assistant", None, [("f", "{}")]), turn("assistant", "It is 43.")]
    wrong = Run("wrong", BAD, "It is 43.", messages=talk)
    right = Run("right", GOOD, "It is 42.", messages=[turn("user", "Hm?"), turn("assistant", "It is 42.")])
    corpus.runs(*runs.values(), wrong, right)
    rows = [
        runs["good"].row(),
        runs["good"].row(response=runs["bad"].response),
        runs["bad"].row(quality_score=GOOD),
        right.row(),
        right.row(messages=talk),
        runs["partly"].row(context="數據 🙂 \u0300 ", score=None),
        right.row_of_version_1(),
        right.row_of_version_1(messages=talk),
        runs["good"].row_of_version_1(response=runs["bad"].response),
    ]
    return corpus, index_of(corpus), [line(row) for row in rows]


@given(data=st.data())
def test_whatever_is_done_to_the_bytes_the_fast_way_finds_what_the_slow_one_finds(
    planted: tuple[Corpus, Index, list[bytes]], data: st.DataObject
) -> None:
    corpus, index, rows = planted
    picked = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=6))
    export = bytearray(b"".join(picked))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(export) - 1))
        change = data.draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from(
                    [
                        b'"',
                        b"\n",
                        b"\\",
                        b"{",
                        b"}",
                        b" ",
                        b'"quality_score":"accepted",',
                        b"\xff",
                        b"\\ud800",
                    ]
                ),
            )
        )
        kept = data.draw(st.integers(0, 2))
        export[at : at + kept] = change
    corpus.sft.write_bytes(bytes(export))
    assert quickly(corpus, index) == slowly(corpus, index)


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120) | st.text(
    alphabet=' \n\t"\\nu0é\u0301\u1100\u1161ﬁ  ab', max_size=400
)


def without_fillers(text: str) -> str:
    return "".join(character for character in text if character not in "\u115f\u1160\u3164\uffa0")


@given(pairs(), st.booleans(), st.integers(0, 30))
def test_texts_that_are_the_same_on_any_level_have_the_same_sketches(
    pair: tuple[str, str], escaped: bool, more: int
) -> None:
    longer = [text.replace("10", "10 and so on and on" * more) for text in pair]
    for one, other in (pair, longer):
        mine, yours = (text_forms.strict_form(text).text for text in (one, other))
        if mine != yours and text_forms.loose_form(mine) != text_forms.loose_form(yours):
            continue
        raws = [json.dumps(text).encode() if escaped else msgspec.json.encode(text) for text in (one, other)]
        tails = sketches.tail_sketches(raws)
        assert tails[0] == tails[1]
        edges = [sketches.edges_sketch(raw, tails[0]) for raw in raws]
        assert edges[0] == edges[1]


@given(st.lists(texts, max_size=5), st.booleans())
@example(["x" * 300 + "\\" * 41 + "n" * 5], True)
@example(["x" * 300 + "\\" * 40 + "n\n" * 5], True)
@example([("a " * 200) + "e\u0301" * 30], False)
def test_a_sketch_is_of_letters_and_digits_alone(some: list[str], escaped: bool) -> None:
    raws = [json.dumps(text).encode() if escaped else msgspec.json.encode(text) for text in some]
    for text, raw, quick in zip(some, raws, sketches.tail_sketches(raws), strict=True):
        fenceless = "\n".join(
            line for line in text.splitlines() if not line.lstrip(" ").startswith(("```", "~~~"))
        )
        shown = "".join(filter(str.isalnum, unicodedata.normalize("NFKD", without_fillers(fenceless))))
        assert quick == sketches.tail_sketch(raw) == crc32(shown[-EDGE:].encode())
        assert sketches.edges_sketch(raw, quick) == crc32(shown[:EDGE].encode(), quick)


@given(st.lists(st.binary(max_size=12)), st.data())
def test_lines_are_the_same_however_the_bytes_arrive(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(pieces)
    feed, lines = LineFeed(), []
    at = 0
    while at < len(whole):
        step = data.draw(st.integers(1, 20))
        for block in feed.feed(whole[at : at + step]):
            lines += list(block.lines())
        at += step
    *expected, rest = whole.split(b"\n")
    assert [raw for _, raw in lines] == expected
    assert feed.rest == rest
    assert all(whole[offset:].startswith(raw + b"\n") for offset, raw in lines)
    assert feed.offset == len(whole) - len(rest)


@pytest.mark.parametrize("step", [MAX_LINE_BYTES // 3, MAX_LINE_BYTES * 2])
def test_a_line_that_is_too_long_is_told_once_and_not_kept(step: int) -> None:
    whole = b"a\n" + b"x" * (MAX_LINE_BYTES + 10) + b"\nb\n"
    feed = LineFeed()
    seen: list[tuple[int, bytes | None]] = []
    for at in range(0, len(whole), step):
        for block in feed.feed(whole[at : at + step]):
            seen += [(block.offset, None)] if block.data is None else list(block.lines())
    assert seen[0] == (0, b"a")
    assert (2, None) in seen or step > len(whole)
    assert seen[-1] == (len(whole) - 2, b"b")
    assert feed.rest == b""


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(Verdict), st.integers(0, 2**56))),
    st.integers(0, 200),
)
def test_the_packed_table_says_what_a_dict_says(
    steps: list[tuple[int, Verdict, int]], expected_runs: int
) -> None:
    table, known = RunTable(expected_runs), dict[str, tuple[Place | None, Verdict, bool]]()
    for number, verdict, where in steps:
        run_id = f"chat/{number}"
        place = Place.unpacked(where)
        before = known.get(run_id, (None, Verdict.NONE, False))
        if verdict is Verdict.NONE:
            table.add_evidence(run_id, place)
            known[run_id] = (place, before[1], True)
        else:
            table.add_verdict(run_id, verdict)
            known[run_id] = (before[0], max(before[1], verdict), before[2])
    assert table.runs == len(known)
    for run_id, (at, verdict, seen) in known.items():
        packed = table.get(run_id)
        assert (place_of(packed), verdict_of(packed), has_evidence(packed)) == (at, verdict, seen)
    assert table.get("chat/unknown") == 0
