"""What a look learned that found nothing, kept for the next look at files that have grown since.

An engine has its staged files looked at in each run, and most of their lines were looked at before. The
firewall writes this for itself and believes it only when its bytes, and the firewall's own code, are what
they were, and when each file of the index still begins with the very bytes that were read then. All else
is read and judged: whatever is in doubt, the whole look is done again.
"""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from pipeline.firewall.index import Index, IndexCounts
from pipeline.firewall.known_rows import KnownRows
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.rejected_texts import RejectedTexts, ToldTexts
from pipeline.firewall.run_dict import RunDict
from pipeline.platform import disk

_VERSION = 1
_DIGEST_BYTES = 32
_MOST_BYTES = 2**30  # some four times what the most runs of a kept look come to
_READ_BYTES = 1 << 20


class _ReadFile(msgspec.Struct, array_like=True):
    """``name`` tells it from the other files of its folder, wherever that stands."""

    name: str
    bytes: int
    sha256: str


class _Kept(msgspec.Struct, array_like=True):
    version: int
    code: str
    scored: list[_ReadFile]
    evidence: list[_ReadFile]
    run_ids: list[str]
    packed: bytes
    texts: ToldTexts
    counts: IndexCounts
    row_keys: bytes
    row_runs: bytes
    row_tails: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


@cache
def code_digest() -> str:
    """Of the firewall's own files, and of what decides how texts compare beside them."""
    hasher = sha256(f"{sys.version} {unicodedata.unidata_version} {msgspec.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        data = path.read_bytes()
        hasher.update(f"{path.name} {len(data)}\n".encode() + data)
    return hasher.hexdigest()


def resumed(
    path: Path, scored: Sequence[Path], evidence: Sequence[Path], listed: Sequence[str]
) -> tuple[Index, KnownRows] | None:
    """The look kept at ``path``, gone on with to the end of today's files; None when all must be read anew.

    That is the index of all files, and the rows that need not be judged.
    """
    kept = _load(path)
    if kept is None or listed:
        return None
    index = Index(scored, evidence, listed, is_kept=True)
    try:
        for files, read in ((scored, kept.scored), (evidence, kept.evidence)):
            if _names(files) != [each.name for each in read]:
                return None
            if not all(_resume(index, file, each) for file, each in zip(files, read, strict=True)):
                return None
    except (OSError, FileMissingError, FileRefusedError):
        return None
    runs = RunDict(kept.run_ids, kept.packed)
    index.runs, index.texts = runs, RejectedTexts.of_told(kept.texts)
    index.counts = kept.counts
    for _ in index.grow():
        pass
    if index.must_be_rebuilt or index.doubt is not None or index.texts.is_crowded:
        return None
    rows = KnownRows(
        kept.row_keys,
        kept.row_runs,
        kept.row_tails,
        run_ids=kept.run_ids,
        touched=runs.touched,
        new_tails=index.texts.added_tails,
    )
    return index, rows


def keep(path: Path, index: Index, rows: KnownRows) -> None:
    """Keep a look that found nothing. A disk that refuses costs time in the next look, and nothing else."""
    scored, evidence = _read_files(index, index.scored), _read_files(index, index.evidence)
    if not isinstance(index.runs, RunDict) or scored is None or evidence is None or index.doubt is not None:
        return
    run_ids, packed = index.runs.told()
    kept = _Kept(
        version=_VERSION,
        code=code_digest(),
        scored=scored,
        evidence=evidence,
        run_ids=run_ids,
        packed=packed,
        texts=index.texts.told(),
        counts=index.counts,
        **dict(
            zip(
                ("row_keys", "row_runs", "row_tails"),
                rows.clean({run_id: number for number, run_id in enumerate(run_ids)}),
                strict=True,
            )
        ),
    )
    data = _encode(kept)
    try:
        with disk.replacing(path, durable=False) as descriptor:
            disk.write_all(descriptor, sha256(data).digest() + data)
    except OSError:
        disk.discard(path)


def _load(path: Path) -> _Kept | None:
    """What is kept at ``path``: whole, of this code, and written by this user alone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
                return None
            if seen.st_size > _MOST_BYTES:
                return None
            data = file.read()
        if sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
            return None
        kept: _Kept = _decode(memoryview(data)[_DIGEST_BYTES:])
    except (OSError, msgspec.MsgspecError):
        return None
    return kept if (kept.version, kept.code) == (_VERSION, code_digest()) else None


def _names(files: Sequence[Path]) -> list[str]:
    """Of each file, what follows the folder that all of them are in."""
    folder = os.path.commonpath([file.parent for file in files]) if files else ""
    return [os.path.relpath(file, folder) for file in files]


def _resume(index: Index, path: Path, read: _ReadFile) -> bool:
    """Whether the file begins with what was read of it; the index then goes on behind it."""
    hasher, left = sha256(), read.bytes
    descriptor = open_regular(path)
    try:
        while left:
            piece = os.read(descriptor, min(left, _READ_BYTES))
            if not piece:
                return False
            hasher.update(piece)
            left -= len(piece)
    finally:
        os.close(descriptor)
    if hasher.hexdigest() != read.sha256:
        return False
    index.resume(path, read.bytes, hasher)
    return True


def _read_files(index: Index, files: Sequence[Path]) -> list[_ReadFile] | None:
    found = []
    for name, file in zip(_names(files), files, strict=True):
        read = index.read_up_to(file)
        if read is None:
            return None
        found.append(_ReadFile(name, *read))
    return found
