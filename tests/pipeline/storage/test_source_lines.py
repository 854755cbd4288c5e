"""Hostile bytes become lines with true offsets, and a line becomes an object or a named reason."""

from __future__ import annotations

import hashlib
import io
import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.contracts.skips import SkipReason
from pipeline.storage import source_lines
from pipeline.storage.archives import Ending
from pipeline.storage.source_lines import (
    BYTE_ORDER_MARK,
    MAX_DEPTH,
    MAX_LINE_BYTES,
    LineFault,
    SourceLine,
    exact_check,
    iter_lines,
    lines_of,
    parse_line,
    read_line,
)

# --- lines ---------------------------------------------------------------------------------------


def whole(data: bytes) -> list[SourceLine]:
    return list(iter_lines(data, 0, 1, at_end_of_file=True))


def test_a_line_ends_at_a_newline_with_or_without_a_carriage_return() -> None:
    assert whole(b'{"a":1}\r\n{"b":2}\n') == [
        SourceLine(b'{"a":1}', 1, 0, False),
        SourceLine(b'{"b":2}', 2, 9, False),
    ]


def test_only_the_carriage_return_before_the_newline_belongs_to_the_line_end() -> None:
    assert [line.raw for line in whole(b"a\rb\r\r\n\r\n")] == [b"a\rb\r", b""]


def test_other_line_separators_do_not_end_a_line() -> None:
    text = '{"a":"\u2028\u2029\u0085\x0b"}'.encode()
    assert [line.raw for line in whole(text + b"\n")] == [text]


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_first_line() -> None:
    assert whole(BYTE_ORDER_MARK + b'{"a":1}\n{}\n') == [
        SourceLine(b'{"a":1}', 1, 3, False),
        SourceLine(b"{}", 2, 11, False),
    ]


def test_the_same_line_has_the_same_digest_with_and_without_a_mark() -> None:
    with_mark, without = whole(BYTE_ORDER_MARK + b'{"a":1}\r\n')[0], whole(b'{"a":1}\n')[0]
    assert hashlib.sha256(with_mark.raw).digest() == hashlib.sha256(without.raw).digest()


def test_a_mark_inside_a_file_is_kept_and_refused() -> None:
    (line,) = iter_lines(BYTE_ORDER_MARK + b"{}\n", 100, 5, at_end_of_file=True)
    assert line == SourceLine(BYTE_ORDER_MARK + b"{}", 5, 100, False)
    assert reason(line.raw) == SkipReason.MALFORMED_JSON


def test_an_unterminated_last_line_is_torn() -> None:
    assert whole(b'{}\n{"a"')[-1] == SourceLine(b'{"a"', 2, 3, True)


def test_a_piece_that_is_not_the_last_must_end_at_a_line_end() -> None:
    with pytest.raises(ValueError, match="must end at a line end"):
        list(iter_lines(b"{}\n{", 0, 1, at_end_of_file=False))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_lines_are_the_same_however_the_file_is_cut(data: bytes, near: int) -> None:
    cut = data.rfind(b"\n", 0, near) + 1
    first = list(iter_lines(data[:cut], 0, 1, at_end_of_file=False))
    second = list(iter_lines(data[cut:], cut, 1 + len(first), at_end_of_file=True)) if cut else whole(data)
    assert first + second == whole(data)


@given(st.binary(max_size=300))
def test_every_line_is_found_again_at_its_offset(data: bytes) -> None:
    for line in whole(data):
        assert data[line.byte_offset :].startswith(line.raw)


@given(st.binary(max_size=300))
def test_a_source_read_in_blocks_gives_the_same_lines(data: bytes) -> None:
    assert list(lines_of(io.BytesIO(data))) == whole(data)


@pytest.mark.parametrize("mark", [b"", BYTE_ORDER_MARK])
def test_a_giant_line_is_skipped_in_bounded_memory_and_the_next_one_is_found(mark: bytes) -> None:
    giant = b"x" * (MAX_LINE_BYTES + 3 * 2**20 + 17)
    data = mark + b"{}\n" + giant + b'\n{"a":1}\n' + giant + b"\n{}"
    lines = list(lines_of(io.BytesIO(data)))
    assert [line.line for line in lines] == [1, 2, 3, 4, 5]
    assert reason(lines[1].raw) == reason(lines[3].raw) == SkipReason.OVERSIZE
    assert len(lines[1].raw) < MAX_LINE_BYTES + 100
    after = lines[2]
    assert data[after.byte_offset :].startswith(b'{"a":1}\n')
    assert (lines[4].raw, lines[4].torn) == (b"{}", True)
    assert lines[4].byte_offset == len(data) - 2


@given(
    st.lists(st.sampled_from([b"{}", b"x" * 30, b"y" * 31, b'{"a":1}', b""]), max_size=8),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.integers(1, 40),
    st.sampled_from([Ending.OPEN, Ending.CLOSED, Ending.CUT_SHORT]),
)
def test_what_a_giant_line_is_told_as_depends_on_no_block(
    pieces: list[bytes], end: bytes, is_ended: bool, block: int, ending: Ending
) -> None:
    data = end.join(pieces) + (end if is_ended else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_lines, "MAX_LINE_BYTES", 16)
        patch.setattr(source_lines, "_ENOUGH_OF_A_LINE", 20)
        patch.setattr(source_lines, "_BLOCK_BYTES", block)
        expected = list(iter_lines(data, 0, 1, at_end_of_file=True, ending=ending))
        found = list(lines_of(io.BytesIO(data), ending))
        assert [each[1:4] for each in found] == [each[1:4] for each in expected]
        assert [read_line(each) for each in found] == [read_line(each) for each in expected]
        assert all(len(each.raw) <= 20 + block for each in found)
        # And from the second line on, as a chunk is read.
        for first in expected[1:2]:
            rest = io.BytesIO(data)
            rest.seek(first.byte_offset)
            size = len(data) - first.byte_offset
            later = lines_of(rest, ending, size, start=first.byte_offset, first_line=2)
            assert [read_line(each) for each in later] == [read_line(each) for each in expected[1:]]


# --- objects -------------------------------------------------------------------------------------


def reason(raw: bytes) -> SkipReason | None:
    outcome = parse_line(raw)
    return outcome.reason if isinstance(outcome, LineFault) else None


REFUSED: list[tuple[bytes, SkipReason]] = [
    (b"", SkipReason.BLANK_LINE),
    (b" \t\r", SkipReason.BLANK_LINE),
    (b'{"a":"\xff"}', SkipReason.INVALID_UTF8),
    (b'{"a":"\xed\xa0\x80"}', SkipReason.INVALID_UTF8),  # a surrogate encoded as if it were a character
    (b"\xff\xfe{\x00}\x00", SkipReason.INVALID_UTF8),  # UTF-16
    (b'{"a":"x\x00y"}', SkipReason.NUL_BYTE),
    (b"\x00\x00\x00\x00", SkipReason.NUL_BYTE),
    (b'{"a":' + b"[" * 254 + b"]" * 254 + b"}", SkipReason.TOO_DEEP),
    (b"[" * 100_000, SkipReason.TOO_DEEP),
    (b"{", SkipReason.MALFORMED_JSON),
    (b'{"a":1}{"b":2}', SkipReason.MALFORMED_JSON),
    (b"{'a':1}", SkipReason.MALFORMED_JSON),
    (b'{"a":"\x01"}', SkipReason.MALFORMED_JSON),
    (b'{"a":01}', SkipReason.MALFORMED_JSON),
    (b'{"a":1,}', SkipReason.MALFORMED_JSON),
    (b'{"a":NaN,"a"', SkipReason.MALFORMED_JSON),
    (BYTE_ORDER_MARK + b"{}", SkipReason.MALFORMED_JSON),
    (b'{"a":NaN}', SkipReason.NON_FINITE_NUMBER),
    (b'{"a":[-Infinity]}', SkipReason.NON_FINITE_NUMBER),
    (b'{"a":1e999}', SkipReason.NUMBER_OUT_OF_RANGE),
    (b'{"a":18446744073709551616}', SkipReason.NUMBER_OUT_OF_RANGE),
    (b'{"a":-9223372036854775809}', SkipReason.NUMBER_OUT_OF_RANGE),
    (b'{ "a" : [ 1, { "b": 100000000000000000000 } ] }', SkipReason.NUMBER_OUT_OF_RANGE),
    (b'{"a":' + b"9" * 5000 + b"}", SkipReason.NUMBER_OUT_OF_RANGE),
    (b'{"a":"\\ud800"}', SkipReason.LONE_SURROGATE),
    (b'{"\\udc00":1}', SkipReason.LONE_SURROGATE),
    (b"[]", SkipReason.NOT_AN_OBJECT),
    (b'"text"', SkipReason.NOT_AN_OBJECT),
    (b"null", SkipReason.NOT_AN_OBJECT),
    (b'{"a":1,"a":2}', SkipReason.DUPLICATE_KEY),
    (b'{"a":1,"a":1}', SkipReason.DUPLICATE_KEY),
    (b'{"a":1, "\\u0061": 2}', SkipReason.DUPLICATE_KEY),
    (b'{"x":[{"y":{"a":1,"b":2,"a":3}}]}', SkipReason.DUPLICATE_KEY),
    (b'{"a" : 1, "a" : 2, "b":":)"}', SkipReason.DUPLICATE_KEY),
    # As many quote characters as are left over, hidden as escapes: the cheap proof must not hold.
    (b'{"a":1,"a":"\\u0022\\u0022"}', SkipReason.DUPLICATE_KEY),
    (b'{"":0,"":1,"b":"\\u0022"}', SkipReason.DUPLICATE_KEY),
]


@pytest.mark.parametrize(("raw", "expected"), REFUSED)
def test_a_hostile_line_is_refused_for_its_reason(raw: bytes, expected: SkipReason) -> None:
    assert reason(raw) == expected


TAKEN: list[tuple[bytes, dict[str, Any]]] = [
    (b"{}", {}),
    (b'{"a":18446744073709551615,"b":-9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
    (b'{"a":0.12345678901234567890123}', {"a": 0.12345678901234568}),
    (b'{"a":"12345678901234567890123"}', {"a": "12345678901234567890123"}),
    (b'{"a":"\\u0000"}', {"a": "\0"}),  # escaped, a NUL is a character like any other
    (b'{"a":"\\ud83d\\ude42"}', {"a": "\U0001f642"}),
    (b'{"a":"\\u0022:","b":1}', {"a": '":', "b": 1}),
    (b'{"a":":)","b":[{"a":1},{"a":2}]}', {"a": ":)", "b": [{"a": 1}, {"a": 2}]}),
    (b'{"a\\\\":1, "c":"\\\\\\":"}', {"a\\": 1, "c": '\\":'}),
    (b'  {"a" : 1E2 ,\t"b":-0}\r', {"a": 100.0, "b": 0}),
    (b'{"a":' + b"[" * 253 + b"]" * 253 + b"}", {"a": orjson.loads(b"[" * 253 + b"]" * 253)}),
    ('{"a":"\u2028\ufeff"}'.encode(), {"a": "\u2028\ufeff"}),
]


@pytest.mark.parametrize(("raw", "expected"), TAKEN)
def test_a_strange_but_sound_line_is_taken(raw: bytes, expected: dict[str, Any]) -> None:
    assert parse_line(raw) == expected
    assert exact_check(raw) == expected


def test_a_line_of_16_mib_is_taken_and_one_byte_more_is_not() -> None:
    frame = len(b'{"a":""}')
    assert isinstance(parse_line(b'{"a":"' + b"x" * (MAX_LINE_BYTES - frame) + b'"}'), dict)
    assert reason(b'{"a":"' + b"x" * (MAX_LINE_BYTES - frame + 1) + b'"}') == SkipReason.OVERSIZE


def test_what_is_taken_can_always_be_written() -> None:
    deepest = parse_line(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH)
    assert isinstance(deepest, dict)
    orjson.dumps(deepest)
    assert reason(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)) == SkipReason.TOO_DEEP


@pytest.mark.parametrize(("raw", "_expected"), REFUSED)
def test_the_detail_quotes_nothing_of_the_line(raw: bytes, _expected: SkipReason) -> None:
    marked = (
        raw.replace(b'"a"', b'"secret-7f3"').replace(b"\\u0061", b"secret-7f3").replace(b'"x', b'"secret-')
    )
    outcome = parse_line(marked)
    assert isinstance(outcome, LineFault)
    assert "secret" not in outcome.detail
    assert outcome.detail.isprintable()


# --- the fast path and the exact check say the same -------------------------------------------------

_KEYS = st.sampled_from(["", "a", "b", '"', ":", "a\\", '":', "é", "\\u0061"])
_TEXTS = st.text(alphabet=st.sampled_from('ab":\\ ,{}[]0123456789éu\n\x7f'), max_size=12)
_NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1E2", "-0", "0.0", "1e400", "1234567890123456789", "NaN"]),
)


def _written_text(text: str, ways: list[int]) -> str:
    """``text`` as a JSON string, some characters spelled as escapes."""
    pieces = []
    for character, way in zip(text, ways, strict=False):
        if way == 0:
            pieces.append(f"\\u{ord(character):04x}")
        else:
            pieces.append(json.dumps(character, ensure_ascii=way == 1)[1:-1])
    return '"' + "".join(pieces) + '"'


_STRINGS = st.builds(_written_text, _TEXTS, st.lists(st.integers(0, 3), min_size=12, max_size=12))
_KEY_STRINGS = st.builds(_written_text, _KEYS, st.lists(st.integers(0, 3), min_size=12, max_size=12))
_SPACE = st.sampled_from(["", "", "", " ", "\t", "  "])


def _object(pairs: list[tuple[str, str]], spaces: list[str]) -> str:
    before, after, comma = spaces
    return "{" + f",{comma}".join(f"{key}{before}:{after}{value}" for key, value in pairs) + "}"


_SPACES = st.lists(_SPACE, min_size=3, max_size=3)
_VALUES: st.SearchStrategy[str] = st.recursive(
    st.one_of(_STRINGS, _NUMBERS, st.sampled_from(["null", "true", '"\\ud800"'])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.builds(_object, st.lists(st.tuples(_KEY_STRINGS, inner), max_size=4), _SPACES),
    ),
    max_leaves=12,
)
_LINES = st.builds(_object, st.lists(st.tuples(_KEY_STRINGS, _VALUES), max_size=5), _SPACES)


@given(_LINES)
@example('{"a":1,"b":"\\u0022\\u0022","b":2}')
def test_the_fast_path_agrees_with_the_exact_check(line: str) -> None:
    raw = line.encode()
    assert parse_line(raw) == exact_check(raw)


def _repeats_a_key(text: str) -> bool:
    """Independent of the product: counts the pairs that the standard library hands out."""
    repeated = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in found}) < len(found)
        return dict(found)

    json.loads(text, object_pairs_hook=pairs)
    return repeated


@given(_LINES)
def test_what_is_taken_repeats_no_key_and_rounds_no_integer(line: str) -> None:
    outcome = parse_line(line.encode())
    if isinstance(outcome, LineFault):
        return
    assert not _repeats_a_key(line)
    assert outcome == json.loads(line)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_parser(raw: bytes) -> None:
    assert parse_line(raw) == exact_check(raw)


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b'{"a": "\xc3', SkipReason.TORN_TAIL),
        (b'{"a": "\xf0\x9f\x98', SkipReason.TORN_TAIL),
        (b'{"a": 1\0\0\0', SkipReason.TORN_TAIL),
        (b"\0\0\0", SkipReason.TORN_TAIL),
        (b"plain text", SkipReason.TORN_TAIL),
        (b"\x5d\0\0\x80\0\xff\xff", SkipReason.INVALID_UTF8),
        (b"PK\x05\x06\0\0\0\0\1\0\1\0", SkipReason.NUL_BYTE),
        (b"a\xff\xfeb", SkipReason.INVALID_UTF8),
        (b"a\xff", SkipReason.INVALID_UTF8),
    ],
)
@pytest.mark.parametrize("ending", [Ending.OPEN, Ending.CLOSED])
def test_a_last_line_that_is_no_text_is_not_torn(tail: bytes, reason: SkipReason, ending: Ending) -> None:
    (line,) = iter_lines(tail, 0, 1, at_end_of_file=True, ending=ending)
    found = read_line(line)
    assert isinstance(found, LineFault)
    assert found.reason is reason


@pytest.mark.parametrize("raw", [b'{"a": "x', b'{"a": "x\ty"}', b'{"a" 1}'])
def test_the_place_of_a_broken_line_is_said_once(raw: bytes) -> None:
    fault = parse_line(raw)
    assert isinstance(fault, LineFault)
    assert re.search(r"\w at character \d+ of the line$", fault.detail)
    assert " at at " not in fault.detail
