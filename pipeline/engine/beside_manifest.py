"""Files beside those of the manifest: what a trainer's loader would read of a folder of exports besides.

Loaders take a folder and read whatever bears a name of theirs, also below it and compressed. Besides
the files of the manifest only the engine's own reports, its quarantine files and formatted files
whose receipts hold may stand there. The firewall looks by its own code.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import orjson

from pipeline.contracts import paths
from pipeline.contracts.checks import Example
from pipeline.engine import readme_heads
from pipeline.platform import disk
from pipeline.storage.digests import sha256_of_file

# A loader takes a file when any ending of its name is one of these: ``rows.jsonl.bak``, too.
_READ_BY_LOADERS = {
    *("jsonl", "ndjson", "json", "csv", "tsv", "txt", "conll", "conllu", "xml"),
    *("parquet", "parq", "pq", "geoparquet", "gpq", "arrow", "feather"),
    *("h5", "hdf5", "eval", "lance", "vortex", "tsfile"),
    *("fa", "fasta", "fna", "ffn", "faa", "frn", "afa", "gb", "gbk", "genbank", "fq", "fastq"),
    *("pdb", "ent", "cif", "mmcif"),
    *("tar", "tgz", "zip"),
}
_READ_BY_NAME = {"task.toml", "instruction.md"}
_TABLES = (b"PAR1", b"ARROW1")  # how they begin, whatever they are called
_OF_EDITORS = ("*~", ".*.sw?", "#*#", ".#*")
_RECEIPT = ".receipt.json"
_MAX_RECEIPT_BYTES = 4 * 1024 * 1024
_MANIFEST, _DECONTAMINATION, _FORMATTED, *_REPORTS_AND_QUARANTINE = (
    path.relative_to(paths.EXPORTS)
    for path in (
        paths.EXPORT_MANIFEST,
        paths.DECONTAMINATION,
        paths.FORMATTED,
        *paths.NEAR_DUPLICATE_REPORTS.values(),
        *paths.QUARANTINE_FILES.values(),
    )
)
_RECEIPTS = paths.FORMAT_RECEIPTS.relative_to(paths.EXPORTS)
_OWN = frozenset((_MANIFEST, _DECONTAMINATION, *_REPORTS_AND_QUARANTINE))


class Beside(NamedTuple):
    """Files that the manifest does not account for, those that editors left, which nobody loads, and
    those that were quarantined, which are loaded by whoever does not name the files."""

    problems: list[Example]
    leftovers: list[Example]
    quarantined: list[str]


def files_beside(folder: Path, listed: Collection[str]) -> Beside:
    """``listed`` are the paths that the manifest names, below ``folder``."""
    beside = Beside([], [], [])
    for at, folders, names in os.walk(folder, onerror=lambda error: _not_seen(beside, folder, error)):
        here = PurePosixPath(Path(at).relative_to(folder).as_posix())
        folders[:] = sorted(name for name in folders if not _is_passed_over(name))
        for name in folders:
            if (folder / here / name).is_symlink():
                beside.problems.append(
                    _example(here / name, "a link to a folder, which a loader would follow")
                )
        for name in sorted(names):
            place = here / name
            if name.lower() in readme_heads.READ_BY_LOADERS:
                if (why := readme_heads.problem_of(folder, place, listed)) is not None:
                    beside.problems.append(_example(place, why))
                continue
            if paths.QUARANTINE_MARK in name:
                beside.quarantined.append(str(place))
                continue
            if str(place) in listed or place in _OWN:
                continue
            if any(fnmatchcase(name, pattern) for pattern in _OF_EDITORS):
                beside.leftovers.append(_example(place, "warning: an editor left this file here"))
            elif not _is_passed_over(name):
                why = _of_formats(folder, place) if would_be_read(place) else _of_other_names(folder, place)
                if why is not None:
                    beside.problems.append(_example(place, why))
    return beside


def _is_passed_over(name: str) -> bool:
    """Folders that are not looked into: loaders leave out what is hidden, and what was set aside is known."""
    return name.startswith(".") or paths.QUARANTINE_MARK in name


def would_be_read(place: PurePosixPath) -> bool:
    """Whether a loader reads a file of this name, in this folder."""
    name = place.name.lower()
    if name in _READ_BY_NAME or name == f"{place.parent.name.lower()}.py":
        return True
    return any(piece in _READ_BY_LOADERS for piece in name.split(".")[1:])


def _of_other_names(folder: Path, place: PurePosixPath) -> str | None:
    """Of a file that no loader takes by its name: whether its bytes are Parquet or Arrow, and then as below.

    A pipe is opened by nobody.
    """
    path = folder / place
    try:
        with disk.open_to_read(path) as file:
            is_table = file.read(8).startswith(_TABLES)
    except OSError as error:
        unclear = f"whether a loader would read it is unclear: {error.strerror or error}"
        return unclear if path.is_file() else None
    return _of_formats(folder, place) if is_table else None


def _of_formats(folder: Path, place: PurePosixPath) -> str | None:
    """None for a formatted file as its receipt says, and for a receipt; else why it may not be loaded."""
    if place.name.endswith(_RECEIPT) and {_FORMATTED, _RECEIPTS} & set(place.parents):
        return None if _output_of(folder / place) else "it is not a receipt"
    if _FORMATTED not in place.parents:
        return "not in the manifest, and a loader would read it"
    below = place.relative_to(_FORMATTED)
    outputs = (
        _output_of(folder / at / (place.name + _RECEIPT)) for at in (place.parent, _RECEIPTS / below.parent)
    )
    output = next(filter(None, outputs), None)
    if output is None:
        return "no receipt accounts for this formatted file, and a loader would read it"
    try:
        same = sha256_of_file(folder / place) == output.get("sha256")
    except OSError as error:
        return error.strerror or "cannot be read"
    return None if same else "sha256 differs from its receipt's"


def _output_of(receipt: Path) -> dict[str, Any] | None:
    """What a receipt says of its file; None when it is no receipt."""
    try:
        with disk.open_to_read(receipt) as file:
            said = orjson.loads(file.read(_MAX_RECEIPT_BYTES))
    except (OSError, orjson.JSONDecodeError):
        return None
    output = said.get("output") if isinstance(said, dict) else None
    return output if isinstance(output, dict) else None


def _not_seen(beside: Beside, folder: Path, error: OSError) -> None:
    place = PurePosixPath(os.path.relpath(error.filename or folder, folder))
    beside.problems.append(_example(place, f"cannot be listed: {error.strerror}"))


def _example(place: PurePosixPath, text: str) -> Example:
    """The path as text that can be written as UTF-8, whatever bytes the name is of."""
    return Example(file=os.fsencode(place).decode("utf-8", "backslashreplace"), text=text)
