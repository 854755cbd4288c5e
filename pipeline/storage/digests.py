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

READ_BYTES = 1 << 20
RECORDED_AT = b',"recorded_at":"'


def sha256_of_file(path: Path) -> str:
    """Hex sha256 of the file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that is ever digested: sorted keys, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest_of(value: Any) -> str:
    """Hex sha256 of a JSON value's canonical bytes."""
    return hashlib.sha256(canonical(value)).hexdigest()


def stamp(rows: bytes, recorded_at: str) -> bytes:
    """Add ``recorded_at`` as the last member of every row in ``rows`` (whole lines of JSON).

    A row as orjson writes it holds no raw newline, so ``}`` before a newline is a row's end.
    """
    return rows.replace(b"}\n", RECORDED_AT + recorded_at.encode() + b'"}\n')


def unstamp(line: bytes) -> bytes:
    """One row (with its newline) without its ``recorded_at``; as it is when it has none."""
    at = line.rfind(RECORDED_AT)
    if at < 0:
        return line
    return line[:at] + b"}\n"


def rows_digest_of_file(path: Path) -> tuple[int, str]:
    """Number of rows and their rows digest, read from a written file. Raises OSError."""
    hasher = hashlib.sha256()
    rows = 0
    with path.open("rb") as file:
        for line in file:
            hasher.update(hashlib.sha256(unstamp(line)).digest())
            rows += 1
    return rows, hasher.hexdigest()
