"""The rows that say why an exporter refused a run, written without a dict in between.

Most runs are refused by one exporter or another (a review by all three), so these rows are as
many as all others together. Their lines are put together from pieces that are encoded once: the
same bytes as orjson's of the whole row, at a third of the time.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

import orjson

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunk_index import LineEntry, RowEntry, unpack_refusal
from pipeline.stages.secrets import secret_in_bytes
from pipeline.stages.text_keys import to_bytes

SECRET_TASK = "secret-"  # what stands before the digest of a task id that nobody should read
_DIGEST_CHARACTERS = 16

_LINE = (
    b'%b,"run_id":%b,"stream":%b,"task_id":%b,"category":"%b","provenance":'
    b'{"source_file":%b,"line":%d,"byte_offset":%d,"sig_hash":"%b","part":%d}}\n'
)
_CATEGORIES = tuple(name.encode() for name in CATEGORIES)
_encoded = orjson.dumps


def quarantine_line(export: str, refusal: str, place: Place, line: LineEntry, row: RowEntry) -> bytes:
    """One line of ``exports/quarantine/<export>.jsonl``; it holds no text of the run, and no credential."""
    stream, source_file = place
    return _LINE % (
        _head(export, refusal),
        _encoded(row.run_id),
        _name(stream),
        _task(row.task_id),
        _CATEGORIES[row.category],
        _name(line.source_file or source_file),
        line.line,
        line.byte_offset,
        line.sig_hash.hex().encode(),
        row.part,
    )


Place = tuple[str, str]
"""Stream and source file of a chunk."""


@lru_cache(maxsize=1024)
def _head(export: str, refusal: str) -> bytes:
    reason, detail = unpack_refusal(refusal)
    head = {"schema_version": 1, "export": export, "reason": reason, "detail": detail}
    return _encoded(head).removesuffix(b"}")


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return _encoded(name)


@lru_cache(maxsize=8192)
def _task(task_id: str) -> bytes:
    """The task's id; of one that holds a credential a digest, which is equal for equal tasks."""
    data = to_bytes(task_id)
    if secret_in_bytes(data) is None:
        return _encoded(task_id)
    return b'"%b%b"' % (SECRET_TASK.encode(), sha256(data).hexdigest()[:_DIGEST_CHARACTERS].encode())
