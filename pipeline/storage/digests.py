"""Digests of files and rows.

Two of them are contracts:

* the **file digest** is the sha256 of all bytes;
* the **rows digest** is the sha256 over the concatenated sha256 of each row, the row taken
  without its ``recorded_at`` and with its newline. It says what was produced, whenever that
  was; rows can be digested in parallel, and it does not depend on how a file was cut in chunks.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from pipeline.platform.disk import lines_in, open_to_read

READ_BYTES = 1 << 20
RECORDED_AT = b',"recorded_at":"'
UNSTAMPED_END = b"}\n"


def sha256_of_file(path: Path) -> str:
    """Hex sha256 of the file's bytes. Raises OSError, also for a pipe, which would block for ever."""
    with open_to_read(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that is ever digested: sorted keys, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest_of(value: Any) -> str:
    """Hex sha256 of a JSON value's canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()


def row_end(recorded_at: str) -> bytes:
    """What stands in a written row in the place of ``UNSTAMPED_END``: the stamp as its last member."""
    return RECORDED_AT + recorded_at.encode() + b'"' + UNSTAMPED_END


def unstamp(line: bytes) -> bytes:
    """One row (with its newline) without its ``recorded_at``; as it is when it has none."""
    at = line.rfind(RECORDED_AT)
    if at < 0:
        return line
    return line[:at] + UNSTAMPED_END


def measured(path: Path) -> dict[str, Any]:
    """Size, rows, digest and rows digest of a written file, in one pass. Raises OSError, as above."""
    whole, rows_hash = hashlib.sha256(), hashlib.sha256()
    size = rows = 0
    with open_to_read(path) as file:
        for line in lines_in(file, path):
            whole.update(line)
            rows_hash.update(hashlib.sha256(unstamp(line)).digest())
            size += len(line)
            rows += 1
    return {
        "bytes": size,
        "rows": rows,
        "sha256": whole.hexdigest(),
        "rows_digest": rows_hash.hexdigest(),
    }
