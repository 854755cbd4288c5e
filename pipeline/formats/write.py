"""The files of a format: read, convert, write, and account for each by a receipt.

A file appears whole or not at all. Its receipt names the digests of the file and of what it was made from,
so that the firewall can tell a formatted file from one that somebody put there. It stands before the file
does, and names the file of before as well until that is replaced: cut off at any moment, each file has its
receipt. Nothing here depends on a clock: the same export gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar, get_args

import orjson

from pipeline.formats.format import Columns
from pipeline.formats.jsonl_file import JsonlFile
from pipeline.formats.leading_rows import LeadingRows
from pipeline.formats.reading import Convert, Converted, Reading
from pipeline.formats.sources import Claim
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.confined import refuse_links
from pipeline.stages.refusals import Refusal

SCHEMA_VERSION = 1
RECEIPT_SUFFIX = ".receipt.json"

FileKind = Literal["parquet", "jsonl"]
KINDS: tuple[FileKind, ...] = get_args(FileKind)
FileOf = Callable[[Converted], str]
"""The file that a row stands in, relative to the workspace."""
Announce = Callable[["Files"], None]
"""Called when all files are written, and none has its name yet."""


@dataclass
class Files:
    """What was written: a claim a file, why rows were refused, the estimated tokens of each row written.

    ``taken_away`` are the files of before that would keep a loader from reading these.
    """

    outputs: dict[str, Claim] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    tokens: list[int] = field(default_factory=list)
    taken_away: list[str] = field(default_factory=list)

    def kept(self, rows: Iterable[Converted | Refusal]) -> Iterator[Converted]:
        """The rows that were not refused, counted as they go by."""
        for row in rows:
            if isinstance(row, Refusal):
                self.refused[row.reason.value] += 1
            else:
                self.tokens.append(row.tokens)
                yield row


class _Writer(Protocol):
    def close(self) -> None: ...
    def abandon(self) -> None: ...


_W = TypeVar("_W", bound=_Writer)


class _Open(Generic[_W]):
    """The files that are being written; each is opened when its first row comes, all appear together."""

    def __init__(self, workspace: Path, files: Files, opener: Callable[[int, Claim], _W]) -> None:
        self._workspace = workspace
        self._files = files
        self._opener = opener
        self._writers: dict[str, _W] = {}

    def put(self, fill: Callable[[_Open[_W]], None], announce: Announce) -> None:
        """Have the files written by ``fill``; when it raises, none is replaced. Raises StorageError."""
        try:
            with ExitStack() as self._stack:
                fill(self)
                for writer in self._writers.values():
                    writer.close()
                self._writers.clear()
                announce(self._files)
        except OSError as error:
            raise disk_faults.storage_fault(
                error, self._workspace / next(iter(self._files.outputs), "")
            ) from error
        finally:
            for writer in self._writers.values():
                writer.abandon()

    def of(self, path: str) -> _W:
        writer = self._writers.get(path)
        if writer is None:
            refuse_links(self._workspace, [path])
            disk.make_folder((self._workspace / path).parent)
            descriptor = self._stack.enter_context(disk.replacing(self._workspace / path))
            claim = self._files.outputs[path] = Claim(path)
            writer = self._writers[path] = self._opener(descriptor, claim)
        return writer


def write_parquet(
    workspace: Path,
    reading: Reading,
    convert: Convert,
    file_of: FileOf,
    columns: Columns,
    announce: Announce,
) -> Files:
    """Parquet files with the schema of ``columns``. Raises what the source raises, and StorageError."""
    from pipeline.formats.parquet_file import ParquetFile

    files = Files()

    def fill(writers: _Open[ParquetFile]) -> None:
        for row in files.kept(reading.rows(convert)):
            writers.of(file_of(row)).write(row.row)

    _Open(workspace, files, lambda descriptor, claim: ParquetFile(descriptor, claim, columns)).put(
        fill, announce
    )
    return files


def write_jsonl(
    workspace: Path,
    reading: Reading,
    convert: Convert,
    file_of: FileOf,
    announce: Announce,
    always: Iterable[str] = (),
) -> Files:
    """JSONL files; ``always`` are written without a row too. Rows that show a loader a new shape lead.

    Raises as ``write_parquet``.
    """
    leading: dict[str, LeadingRows] = {}
    leaders: dict[str, list[bytes]] = {}
    for path, place, line, row in _lines(Files().kept(reading.rows(convert)), file_of):
        leads = leading.setdefault(path, LeadingRows())
        leads.look(place, row.row, len(line))
        if place in leads.places:
            leaders.setdefault(path, []).append(line)
    files = Files()

    def fill(writers: _Open[JsonlFile]) -> None:
        for path in dict.fromkeys((*always, *leaders)):
            for line in leaders.get(path, []):
                writers.of(path).write(line)
            writers.of(path)
        for path, place, line, _ in _lines(files.kept(reading.rows(convert)), file_of):
            if path not in leading or place not in leading[path].places:
                writers.of(path).write(line)

    _Open(workspace, files, JsonlFile).put(fill, announce)
    return files


def _lines(rows: Iterable[Converted], file_of: FileOf) -> Iterator[tuple[str, int, bytes, Converted]]:
    """File, place in the file, line and row."""
    places: Counter[str] = Counter()
    for row in rows:
        path = file_of(row)
        yield path, places[path], orjson.dumps(row.row) + b"\n", row
        places[path] += 1


def receipt_of(format_name: str, reading: Reading, output: Claim, refused: Counter[str]) -> dict[str, object]:
    """What accounts for one file. ``refused`` counts the rows that the format could not hold, of all files.

    ``source`` is the export; a format of all labelled runs has ``sources``, each file that was read.
    """
    claims = [claim.to_dict() for claim in reading.claims]
    made_of = {"sources": claims} if reading.source == "labelled" else {"source": claims[0]}
    return {
        "schema_version": SCHEMA_VERSION,
        "format": format_name,
        "export": reading.source,
        **made_of,
        "output": output.to_dict(),
        "refused": dict(sorted(refused.items())),
    }


def announce_receipt(workspace: Path, path: str, receipt: dict[str, object]) -> None:
    """The receipt of a file that is about to be replaced: it accounts for what stands there, too."""
    try:
        known = orjson.loads(confined.read_bytes(workspace, path))
        standing = {known["output"]["sha256"], *known.get("standing", ())}
    except (OSError, ValueError, KeyError, TypeError):  # none, or none that accounts for anything
        standing = set()
    put_receipt(workspace, path, {**receipt, "standing": sorted(standing)})


def put_receipt(workspace: Path, path: str, receipt: dict[str, object]) -> None:
    """Raises StorageError."""
    refuse_links(workspace, [path])
    disk.make_folder((workspace / path).parent)
    text = orjson.dumps(receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    confined.write_file(workspace, path, text)


def take_away(workspace: Path, *paths: str) -> None:
    """Remove files that have no rows any more, since their rows may stand elsewhere now. Raises
    StorageError.
    """
    for path in paths:
        try:
            confined.remove(workspace, path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise disk_faults.storage_fault(error, workspace / path) from error
