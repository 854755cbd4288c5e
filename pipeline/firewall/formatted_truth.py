"""Does a formatted file say what the exports say? A receipt can be forged together with its file.

Each row of a file that its receipt accounts for is looked for among what the exports hold that stand, and
formats of all labelled runs among accepted and rejected runs of the evidence. A row that is nowhere is a
finding. Where the export that a file was made of is gone, it may be old and it may be forged: unknown.
Files beside exports of version 1 are of the version that had no such wall.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from pipeline.contracts import paths
from pipeline.firewall import index_rows, sft_row, strict_json
from pipeline.firewall.conversation import parsed_messages, text_of
from pipeline.firewall.export_version import NEWEST, version_of
from pipeline.firewall.formatted import MAY_HOLD_REJECTED, FormattedFile
from pipeline.firewall.formatted_rows import Kind, Line, key, lines_of, of_texts, read
from pipeline.firewall.index_rows import EvidenceRow
from pipeline.firewall.line_feed import bounded_lines
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.run_table import VERDICTS, Verdict
from pipeline.firewall.strict_json import UnreadableError

_DATASET_INFO = "dataset_info.json"
_INFO_MEMBERS = frozenset(("file_name", "formatting", "ranking", "columns"))
_INFO_FILES = frozenset(
    f"{split}.{kind}" for split in ("train", "validation") for kind in ("parquet", "jsonl")
)
_BATCH_ROWS = 256
# Formats of two answers to one prompt, by a part of their name.
_OF_PAIRS = ("preference", "ranking")
_UNPAIRED = ".trl-unpaired."
# Of runs with a label nobody says in which split they are, where they are in no export.
_OF_ONE_ROW = frozenset((Kind.WHOLE, Kind.PAIR))
_SPLITS = frozenset(("train", "validation"))

_Row = TypeVar("_Row")


def checked(places: Places, files: Sequence[FormattedFile]) -> list[FormattedFile]:
    """The files, those that a receipt accounts for held against what stands. Raises nothing of a file."""
    root = places.root
    if root is None or not any(each.has_receipt for each in files) or version_of(places) < NEWEST:
        return list(files)
    truth = Truth(places)
    return [_checked(places, truth, each) if each.has_receipt else each for each in files]


class Truth:
    """What may be said, as keys of rows: by the exports that stand, and by the runs of the evidence.

    ``sha256`` has the digest of each file that was read, by its path below the workspace.
    """

    def __init__(self, places: Places) -> None:
        self.sha256: dict[str, str] = {}
        self.doubt = ""
        self._places = places

    @cached_property
    def of_exports(self) -> dict[bytes, Counter[str]]:
        """SFT rows, pairs, and each side of a pair with its label; and how many rows of each split say it."""
        said: dict[bytes, Counter[str]] = {}

        def note(split: object, *keys: bytes) -> None:
            for each in keys:
                said.setdefault(each, Counter())[str(split)] += 1

        for row in self._read(paths.SFT_EXPORT, sft_row.read):
            note(row.split, key(Kind.WHOLE, text_of(row.tools), lines_of(row.messages or ())))
        for split, tools, prompt, chosen, rejected in self._read(paths.PREFERENCE_EXPORT, _pair):
            note(
                split,
                key(Kind.PAIR, tools, prompt, chosen, rejected),
                key(Kind.ACCEPTED, tools, [*prompt, *chosen]),
                key(Kind.REJECTED, tools, [*prompt, *rejected]),
            )
        return said

    @cached_property
    def of_runs(self) -> set[bytes]:
        """Accepted and rejected runs with their label, and those that may be trained on as they are."""
        verdicts: dict[str, Verdict] = {}
        scored, evidence, problems = self._places.index_files()
        self.doubt = problems[0] if problems else self.doubt
        for path in scored:
            for row in self._read(self._relative(path), index_rows.read_scored):
                verdict = VERDICTS.get(str(row.category), Verdict.UNKNOWN_CATEGORY)
                verdicts[str(row.run_id)] = max(verdict, verdicts.get(str(row.run_id), Verdict.NONE))
        said: set[bytes] = set()
        for path in evidence:
            for run in self._read(self._relative(path), index_rows.read_evidence):
                said.update(_keys_of_run(run, verdicts.get(str(run.run_id), Verdict.NONE)))
        return said

    def stands(self, sources: Sequence[tuple[str, str]]) -> bool:
        """Whether files that a receipt names as sources, with their sha256, are those that were read."""
        return bool(sources) and all(self.sha256.get(path) == sha256 for path, sha256 in sources)

    def _relative(self, path: Path) -> PurePosixPath:
        return PurePosixPath(os.path.relpath(path, self._places.root))

    def _read(self, relative: PurePosixPath, read: Callable[[bytes], _Row]) -> Iterator[_Row]:
        """The rows of a file that can be read; of others the walls of that file say what there is to say."""
        digest = hashlib.sha256()
        try:
            with os.fdopen(open_regular(Path(self._places.root or ".", relative)), "rb") as file:
                for line in bounded_lines(file):
                    digest.update(line)
                    with suppress(UnreadableError):
                        yield read(line.removesuffix(b"\n"))
        except FileMissingError:
            return
        except (OSError, FileRefusedError) as error:
            self.doubt = f"{relative}: {getattr(error, 'strerror', None) or error}"
        self.sha256[str(relative)] = digest.hexdigest()


def _pair(line: bytes) -> tuple[object, object, list[Line], list[Line], list[Line]]:
    value = strict_json.read(line)
    if not isinstance(value, dict):
        raise UnreadableError("not an object")
    prompt, chosen, rejected = (
        lines_of(parsed_messages(value.get(name)) or ()) for name in ("prompt", "chosen", "rejected")
    )
    return value.get("split"), value.get("tools"), prompt, chosen, rejected


def _keys_of_run(run: EvidenceRow, verdict: Verdict) -> Iterator[bytes]:
    """A conversation is learnt with or without the context that a mapper gave beside it."""
    if run.messages:
        turns = lines_of(run.messages)
        while turns and not (turns[-1].is_answer and (turns[-1].calls or turns[-1].text.strip())):
            turns.pop()
    else:
        asked = (text_of(run.context) or "", text_of(run.instruction) or "")
        turns = of_texts(asked, text_of(run.response) or "")
    tools = text_of(run.tools)
    if verdict in (Verdict.ACCEPTED, Verdict.PARTIALLY_ACCEPTED):
        yield key(Kind.WHOLE, tools, turns)
    if verdict is Verdict.ACCEPTED:
        yield key(Kind.ACCEPTED, tools, turns)
    if verdict is Verdict.REJECTED:
        yield key(Kind.REJECTED, tools, turns)


def _checked(places: Places, truth: Truth, file: FormattedFile) -> FormattedFile:
    name = PurePosixPath(file.file).name
    number = 0
    try:
        if name == _DATASET_INFO:
            _check_info(places, file)
            return file
        kinds = _kinds_of(file)
        split, seen = PurePosixPath(name).stem, Counter[bytes]()
        for row in _rows(places, file):
            number += 1
            if isinstance(row, UnreadableError):
                raise row
            kind, said = read(row)
            if kind not in kinds:
                raise UnreadableError("rows of this kind do not belong into its folder")
            standing = truth.of_exports.get(said)
            if standing is not None and kind in _OF_ONE_ROW and truth.stands(file.sources):
                seen[said] += 1
                _as_often(seen[said], standing, split)
            if standing is not None or said in truth.of_runs:
                continue
            return _not_found(truth, file, number)
    except UnreadableError as error:
        detail = f"row {number}: {error}" if number else str(error)
        return replace(file, state="unaccounted", detail=detail, line=number)
    except FileMissingError:
        return file
    except (OSError, FileRefusedError) as error:
        detail = f"its rows cannot be read: {getattr(error, 'strerror', None) or error}"
        return replace(file, state="unknown", detail=detail)
    return file


def _as_often(times: int, standing: Counter[str], split: str) -> None:
    """A row is there no more often than in its export, and on its side. Raises UnreadableError."""
    in_a_split = split in _SPLITS and not standing.keys() - _SPLITS
    if in_a_split and not standing[split]:
        raise UnreadableError("its export has it in another split")
    if times > (standing[split] if in_a_split else standing.total()):
        raise UnreadableError("it is there more often than in its export")


def _not_found(truth: Truth, file: FormattedFile, number: int) -> FormattedFile:
    if truth.doubt:
        return replace(file, state="unknown", detail=f"row {number} is in no export: {truth.doubt}")
    if truth.stands(file.sources):
        detail = f"row {number} says what no row of its export says"
        return replace(file, state="unaccounted", detail=detail, line=number)
    detail = (
        f"row {number} is in no export and no run, and what the file was made of is gone: "
        "make it again with distill export --format"
    )
    return replace(file, state="unknown", detail=detail)


def _kinds_of(file: FormattedFile) -> frozenset[Kind]:
    """What may stand in a folder: a label is ignored, and a pair misread, by whoever expects none."""
    place = PurePosixPath(file.file)
    folder = place.parts[2] if len(place.parts) > 3 else ""
    if folder in MAY_HOLD_REJECTED or (not folder and _UNPAIRED in place.name):
        return frozenset((Kind.WHOLE, Kind.ACCEPTED, Kind.REJECTED))
    if any(part in (folder or place.name) for part in _OF_PAIRS):
        return frozenset((Kind.PAIR,))
    return frozenset((Kind.WHOLE,))


def _rows(places: Places, file: FormattedFile) -> Iterator[object]:
    """Each row as a value, or why it is none."""
    path = Path(places.root or ".", file.file)
    with os.fdopen(open_regular(path), "rb") as opened:
        if path.suffix == ".jsonl":
            for line in bounded_lines(opened):
                try:
                    yield strict_json.read(line.removesuffix(b"\n"))
                except UnreadableError as error:
                    yield error
        elif path.suffix == ".parquet":
            yield from _parquet_rows(opened)
        else:
            raise UnreadableError("no format writes a file of this kind")


def _parquet_rows(file: BinaryIO) -> Iterator[object]:
    # Not at the top: it takes a tenth of a second to import, and few workspaces hold Parquet.
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(_BATCH_ROWS):
            yield from batch.to_pylist()
    except ArrowException as error:
        raise UnreadableError(f"no Parquet: {type(error).__name__}") from None


def _check_info(places: Places, file: FormattedFile) -> None:
    """``dataset_info.json`` tells a trainer which files to read: those of its folder, as they are named."""
    with os.fdopen(open_regular(Path(places.root or ".", file.file)), "rb") as opened:
        value = strict_json.read(opened.read())
    for entry in value.values() if isinstance(value, dict) else [None]:
        if not isinstance(entry, dict) or entry.keys() - _INFO_MEMBERS:
            raise UnreadableError("it names data in a way that no format writes")
        if entry.get("file_name") not in _INFO_FILES:
            raise UnreadableError("it names a file that is none of its format's")
        columns = entry.get("columns")
        named = columns.items() if isinstance(columns, dict) else ()
        if any(name in ("chosen", "rejected", "kto_tag") and column != name for name, column in named):
            raise UnreadableError("it calls one answer of a pair the other")
