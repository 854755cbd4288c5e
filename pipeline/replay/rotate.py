"""Rotate the replay log: move, gzip, verify, start fresh. No byte goes before its copy is proven.

Steps: the log is renamed to ``replay_runs.archive.<epoch>.jsonl`` (nothing is ever overwritten),
packed beside it, the pack is read back and compared by digest, and only then the plain archive
is removed. A crash in between leaves the plain archive, whole; the next rotation packs it too.

Where the file system has no rename that refuses to overwrite, the log gets its second name before it loses
the first. What stopped in between left one file under two names: ``left_over`` tells, and the next rotation
takes the log's name away before anything else, so that no row is archived twice.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.platform import confined, disk, disk_faults
from pipeline.storage.digests import sha256_of_file

_ARCHIVE = f"{paths.REPLAY_RUNS.stem}.archive."


@dataclass(frozen=True)
class Rotation:
    """One archive: its path below the workspace, plain size, and the sha256 of the plain bytes."""

    archive: str
    plain_bytes: int
    packed_bytes: int
    sha256: str


def left_over(workspace: Path) -> list[str]:
    """The log's second names, each in a sentence, that an earlier rotation left. Raises StorageError."""
    folder, log = workspace / paths.KNOWLEDGE_BASE, workspace / paths.REPLAY_RUNS
    try:
        return [
            f"{plain.relative_to(workspace)} is {paths.REPLAY_RUNS} under a second name"
            for plain in _plain_archives(folder)
            if _is_one_file(log, plain)
        ]
    except OSError as error:
        raise disk_faults.storage_fault(error, log, doing="read") from error


def rotate(workspace: Path, *, epoch: int | None = None, move_log: bool = True) -> list[Rotation]:
    """Archive the log, and any archive that an interrupted rotation left unpacked, which is all that
    is done without ``move_log``.

    Nothing to do gives an empty list. Raises StorageError, or IntegrityError when a pack does
    not read back as its original (which then stays).
    """
    folder = workspace / paths.KNOWLEDGE_BASE
    log = workspace / paths.REPLAY_RUNS
    try:
        _finish_move(log, folder)
        if move_log and log.exists() and log.stat().st_size > 0:
            _move(log, folder, int(time.time()) if epoch is None else epoch)
        rotations = [_pack(workspace, plain) for plain in _plain_archives(folder)]
        if rotations:
            confined.append(workspace, paths.REPLAY_RUNS, b"")
            disk.sync_folder(folder)
    except OSError as error:
        kept = "The log and its archives are whole; what is not packed yet stays plain."
        raise disk_faults.storage_fault(error, log, kept) from error
    return rotations


def _move(log: Path, folder: Path, epoch: int) -> None:
    """Rename the log to a free archive name: a file that exists already is never replaced."""
    while True:
        archive = folder / f"{_ARCHIVE}{epoch}.jsonl"
        if not archive.with_name(f"{archive.name}.gz").exists():
            try:
                disk.operations.rename_new(log, archive)
            except FileExistsError:
                pass
            else:
                disk.sync_folder(folder)
                return
        epoch += 1


def _finish_move(log: Path, folder: Path) -> None:
    """Take the log's name away from a file that an archive's name holds as well: not a byte goes."""
    if any(_is_one_file(log, plain) for plain in _plain_archives(folder)):
        disk.operations.unlink(log)
        disk.sync_folder(folder)


def _plain_archives(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_ARCHIVE}*.jsonl"))


def _is_one_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(one), os.lstat(other))
    except FileNotFoundError:
        return False


def _pack(workspace: Path, plain: Path) -> Rotation:
    packed = plain.with_name(f"{plain.name}.gz")
    temporary = plain.with_name(f".{packed.name}.tmp")
    before = sha256_of_file(plain)
    try:
        with disk.new_file(temporary) as descriptor:
            raw = disk.as_file(descriptor)
            with disk.open_to_read(plain) as source, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            disk.operations.fsync(descriptor)
        # Read back what is on disk; and the original again, as a writer may still have held it open.
        if not before == _sha256_of_packed(temporary) == sha256_of_file(plain):
            raise _not_verified(plain)
        disk.operations.replace(temporary, packed)
    except BaseException:
        disk.discard(temporary)
        raise
    disk.sync_folder(packed.parent)
    size = plain.stat().st_size
    disk.operations.unlink(plain)
    return Rotation(packed.relative_to(workspace).as_posix(), size, packed.stat().st_size, before)


def _sha256_of_packed(path: Path) -> str:
    hasher = hashlib.sha256()
    with disk.open_to_read(path) as plain, gzip.open(plain) as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def _not_verified(plain: Path) -> IntegrityError:
    return IntegrityError.of(
        code="archive_not_verified",
        what_happened=f"The packed copy of {plain} does not read back as the original.",
        kept_safe="The original archive stays as it is; the copy was removed.",
        do_next="Let no replay run meanwhile, check the disk, then: distill rotate-replay-log",
        file=str(plain),
    )
