"""What a file looks like of which no line can be used, and what turns it into JSONL.

Names come from the first bytes and the shape of the text, never from the file's name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.contracts.faults import InputError
from pipeline.storage.archives import compression_of, open_regular, open_source

_HEAD_BYTES = 64 * 2**10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINES_LOOKED_AT = 5
_PARQUET = "a Parquet file (pyarrow or duckdb turn it into JSONL)"
_UTF16 = "a text in UTF-16 (iconv -f UTF-16 -t UTF-8)"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", _PARQUET),
    (b"ARROW1", "an Arrow file (pyarrow turns it into JSONL)"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PK\x03\x04", "a zip archive (unzip it)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive (unpack it)"),
    (b"Rar!", "a RAR archive (unpack it)"),
    (b"\x04\x22\x4d\x18", "an lz4 archive (lz4 -d; gzip, zstd, bzip2 and xz are read as they are)"),
    (b"\x1f\x9d", "a compress archive (uncompress it)"),
    (b"\x5d\x00\x00", "an lzma archive (unlzma it; gzip, zstd, bzip2 and xz are read as they are)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
)
_COMMA_BEFORE_END = re.compile(r",\s*\]\s*\Z")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_TAR_AT = 257
_SEPARATORS = {
    ",": "CSV",
    "\t": "tab-separated values",
    ";": "CSV with semicolons",
    "|": "values between bars",
}


@dataclass(frozen=True)
class Looks:
    """``words`` is empty where nothing tells; ``compression`` where there is none."""

    words: str = ""
    compression: str = ""


def looks_like(path: Path) -> Looks:
    """Reads the beginning of the file. Never raises for what it holds."""
    try:
        with open_regular(path) as file:
            compression = compression_of(file.read(16)) or ""
        with open_source(path) as file:
            return Looks(words_for(file.read(_HEAD_BYTES)), str(compression))
    except (InputError, OSError):
        return Looks()


def words_for(head: bytes) -> str:
    """What a text or a binary that begins so most likely is; "" for lines of JSON objects."""
    for magic, words in _MAGIC:
        if head.startswith(magic):
            return words
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "a tar archive (unpack it)"
    if _PICKLE.match(head):
        return "a Python pickle, which is never loaded (it may run code)"
    head = head.removeprefix(_BYTE_ORDER_MARK)
    if b"\0" in head:
        return "binary data"
    text = head.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        return "nothing but white space"
    if "\ufffd" in text[:-4]:
        return "no text in UTF-8"
    lines_by_cr = text.rstrip().split("\r")
    if len(lines_by_cr) > 1 and "\n" not in text.rstrip() and _is_json(lines_by_cr[0]):
        return "lines that end in CR alone: tr '\\r' '\\n'"
    return _of_text(text)


def _of_text(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip()][:_LINES_LOOKED_AT]
    first = lines[0].strip(" \t\r")
    if first.startswith("\x1e"):
        return "a JSON text sequence (RFC 7464): tr -d '\\036'"
    if first.startswith("["):
        if _COMMA_BEFORE_END.search(text):
            return "a JSON array with a comma before its end, which is no JSON: take that comma out"
        return "a JSON array: jq -c '.[]'"
    if first.startswith("{"):
        return _of_braces(first)
    if re.match(r"<[?!A-Za-z]", first):
        return "XML or HTML"
    if first == "---" or re.match(r"[A-Za-z_][\w-]*:( |$)", first):
        return "YAML"
    for separator, name in _SEPARATORS.items():
        counts = {line.count(separator) for line in lines}
        if len(lines) > 1 and min(counts) > 0 and (len(counts) == 1 or separator != "|"):
            return f"{name}: mlr --icsv --ojsonl cat" if separator == "," else name
    return "JSON, but no objects" if _is_json(first) else "plain text"


def _of_braces(first: str) -> str:
    if _is_json(first):
        return ""
    if first.endswith(",") and _is_json(first[:-1]):
        return "JSON objects with a comma behind each: sed 's/,[[:space:]]*$//'"
    if re.match(r"\{\s*'", first):
        return "Python's notation, not JSON: write it with json.dumps"
    try:
        json.loads(first)
    except json.JSONDecodeError as error:
        return "indented JSON: jq -c ." if error.pos >= len(first) else "JSON-like text"
    except (ValueError, RecursionError):  # a number of thousands of digits, or very deep
        return "JSON-like text"
    return "JSON except for NaN, Infinity, a number like 1e400 or half a surrogate pair"


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
