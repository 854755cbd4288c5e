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
from pipeline.engine.chunk_entries import unpack_refusal
from pipeline.engine.chunk_index import DIGEST_BYTES, ChunkIndex, numbers
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


class QuarantineLines:
    """The lines of one chunk in ``exports/quarantine/<export>.jsonl``; they hold no text of a run, and no
    credential."""

    def __init__(self, export: str, stream: str, source_file: str, index: ChunkIndex) -> None:
        self._export = export
        self._stream = stream
        self._source_file = source_file
        self._index = index
        self._lines = index.lines_of_rows()
        self._numbers = numbers("Q", index.line_numbers)
        self._offsets = numbers("Q", index.line_offsets)
        self._categories = numbers("b", index.categories)
        self._parts = numbers("Q", index.parts)

    def line(self, row: int, refusal: str) -> bytes:
        """The line of the chunk's ``row``, with its line end."""
        index, line = self._index, self._lines[row]
        return _LINE % (
            _head(self._export, refusal),
            _encoded(index.run_ids[row]),
            _name(self._stream),
            _task(index.task_ids[row]),
            _CATEGORIES[self._categories[row]],
            _name(index.origin(line).source_file or self._source_file),
            self._numbers[line],
            self._offsets[line],
            index.sig_hashes[DIGEST_BYTES * line : DIGEST_BYTES * line + DIGEST_BYTES].hex().encode(),
            self._parts[row],
        )


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
