"""Rows of playbooks and pairs are read quickly, and as the strict reader would read them."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.firewall import other_exports, strict_json
from pipeline.firewall.fidelity import Turn
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.text_forms import strict_form

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_IN_DOUBT = (
    b"", b" ", b"{", b"1e400", b"NaN", b"-0", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'"\\ud800"',
    b'"\\u0041"', b'"\xff"', b'"\xed\xa0\x80"', b'{"a": 1}', b'{"a":1} ', b'{"a":1}\r', b'{"a":1}{"a":1}',
    b"1" * 5000, b"[" * 100_000, b'"\x01"', b"1.00", b"\xef\xbb\xbf{}",
)  # fmt: skip


def _outcome(read: object, line: bytes) -> object:
    try:
        value = read(line)  # type: ignore[operator]  # one of the two readers
    except UnreadableError as error:
        return str(error)
    return repr(value)


@pytest.mark.parametrize("line", _IN_DOUBT, ids=lambda line: repr(line[:20]))
def test_a_line_in_doubt_is_settled_by_the_strict_reader(line: bytes) -> None:
    assert _outcome(other_exports._read, line) == _outcome(strict_json.read, line)


@given(_VALUES, st.booleans())
def test_any_line_reads_as_the_strict_reader_reads_it(value: object, as_ascii: bool) -> None:
    try:
        line = json.dumps(value, ensure_ascii=as_ascii, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can spell
        line = json.dumps(value, separators=(",", ":")).encode()
    assert _outcome(other_exports._read, line) == _outcome(strict_json.read, line)


def test_a_row_as_exporters_write_it_needs_no_strict_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "a", "prompt": [{"role": "user", "content": 'a "é" \u2028 text\n'}], "score": 0.1, "n": 3}
    monkeypatch.setattr(strict_json, "read", lambda _line: pytest.fail("read slowly"))
    assert other_exports._read(orjson.dumps(row)) == row


@given(st.text(alphabet="a \n\t`\u200b\u00ad", max_size=6), st.text(alphabet="a \n\u200b", max_size=3))
def test_a_turn_says_nothing_where_no_form_of_it_does(text: str, reasoning: str) -> None:
    is_empty = not strict_form(text).text and not strict_form(reasoning).text
    assert Turn("assistant", text, reasoning).says_nothing is is_empty
