"""The rows that say why an exporter refused a run, written without a dict in between.

Most runs are refused by one exporter or another (a review by all three), so these rows are as
many as all others together. Their lines are put together from pieces that are encoded once: the
same bytes as orjson's of the whole row, at a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
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

_LINE = b'%b%b%b%b%b%d,"byte_offset":%d,"sig_hash":"%b","part":%d}}\n'
_BEFORE_LINE = b',"category":"%b","provenance":{"source_file":%b,"line":'
_HASH_CHARACTERS = 2 * DIGEST_BYTES
_encoded = orjson.dumps


def quarantine_lines(
    export: str, stream: str, source_file: str, index: ChunkIndex, refused: Iterable[tuple[int, str]]
) -> list[bytes]:
    """The lines of one chunk in ``exports/quarantine/<export>.jsonl``, each with its line end; they hold no
    text of a run, and no credential. ``refused`` has rows of the chunk with their packed refusals."""
    line_of, run_ids, task_ids = index.lines_of_rows(), index.run_ids, index.task_ids
    numbers_of_lines, offsets = numbers("Q", index.line_numbers), numbers("Q", index.line_offsets)
    categories, parts = numbers("b", index.categories), numbers("Q", index.parts)
    hashes = index.sig_hashes.hex().encode()
    in_stream = b',"stream":%b,"task_id":' % _name(stream)
    befores = _befores(source_file)
    written = []
    for row, refusal in refused:
        line = line_of[row]
        if index.line_origins:
            befores = _befores(index.line_origins[line].source_file or source_file)
        written.append(
            _LINE
            % (
                _head(export, refusal),
                _encoded(run_ids[row]),
                in_stream,
                _task(task_ids[row]),
                befores[categories[row]],
                numbers_of_lines[line],
                offsets[line],
                hashes[_HASH_CHARACTERS * line : _HASH_CHARACTERS * line + _HASH_CHARACTERS],
                parts[row],
            )
        )
    return written


@lru_cache(maxsize=1024)
def _befores(source_file: str) -> list[bytes]:
    """What stands before the number of a line of this file, for each category."""
    name = _encoded(source_file)
    return [_BEFORE_LINE % (category.encode(), name) for category in CATEGORIES]


@lru_cache(maxsize=1024)
def _head(export: str, refusal: str) -> bytes:
    reason, detail = unpack_refusal(refusal)
    head = {"schema_version": 1, "export": export, "reason": reason, "detail": detail}
    return _encoded(head).removesuffix(b"}") + b',"run_id":'


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return _encoded(name)


@lru_cache(maxsize=8192)
def _task(task_id: str) -> bytes:
    """The task's id; of one that holds a credential a digest, which is equal for equal tasks."""
    data = to_bytes(task_id)
    if secret_in_bytes(data) is None:
        return b"%b" % _encoded(task_id)  # a copy: orjson's own holds a kilobyte
    return b'"%b%b"' % (SECRET_TASK.encode(), sha256(data).hexdigest()[:_DIGEST_CHARACTERS].encode())
