"""Look-up tables: the first line with an id counts, and the digest follows the values."""

from __future__ import annotations

import gzip
from pathlib import Path

from pipeline.contracts.skips import SkipReason
from pipeline.streams.files import SourceFile
from pipeline.streams.lookup import LookupTable, load_lookup
from tests.pipeline.streams.sources import stream


def table(folder: Path, *files: bytes, where: object = None) -> LookupTable:
    questions = stream("questions", role="lookup", key="qid", where=where)
    paths = []
    for number, data in enumerate(files):
        path = folder / f"questions-{number}.jsonl"
        path.write_bytes(data)
        paths.append(path)
    return load_lookup(questions, [SourceFile(path.name, path) for path in paths])


def test_lines_that_cannot_be_used_are_left_out(tmp_path: Path) -> None:
    found = table(tmp_path, b'{"qid":1}\nnot JSON\n{"qid":[]}\n{"qid":""}\n{"x":1}\n{"qid":"2"}\n{"qid":3}')
    # The last line has no line end: it may still grow.
    assert set(found.rows) == {"1", "2"}


def test_every_line_is_a_row_or_has_a_reason(tmp_path: Path) -> None:
    found = table(
        tmp_path, b'{"qid":1,"t":"a"}\n{"qid":"1","t":"b"}\n', where={"path": "hidden", "exists": False}
    )
    assert found.rows["1"]["t"] == "a"
    assert found.check({"qid": 1, "t": "a"}) is None
    reasons = [
        found.check({"qid": "1", "t": "b"}),
        found.check({"t": "a"}),
        found.check({"qid": {}}),
        found.check({"qid": 1, "hidden": True}),
    ]
    assert [fault.reason for fault in reasons if fault is not None] == [
        SkipReason.DUPLICATE_LOOKUP_KEY,
        SkipReason.MISSING_FIELD,
        SkipReason.WRONG_TYPE,
        SkipReason.FILTERED_OUT,
    ]


def test_the_digest_follows_the_values_and_not_the_files(tmp_path: Path) -> None:
    one, two = b'{"qid":1}\n', b'{"qid":2}\n'
    together, apart = table(tmp_path, one + two).digest, table(tmp_path, two, one).digest
    assert together == apart
    assert table(tmp_path, gzip.compress(one + two)).digest == together
    assert table(tmp_path, one).digest != together
    assert table(tmp_path, one + b'{"qid":2,"t":""}\n').digest != together
