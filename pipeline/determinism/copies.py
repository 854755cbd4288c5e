"""Throw-away copies of a workspace's sources and settings, private and outside of it.

Files are linked where the file system allows it: the engine never writes to a source. Outputs,
caches and the repository are left behind, so that every copy starts from scratch.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.platform import disk, disk_faults
from pipeline.platform.temporary import new_folder
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings
from pipeline.streams.files import SourceFile, stream_files

PREFIX = "distill-determinism."


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder in $TMPDIR that only this user may enter, removed after the block. Raises StorageError."""
    folder = new_folder(PREFIX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_workspace(workspace: Path, settings: Settings, folder: Path) -> Path:
    """A fresh copy in ``folder``. Raises StorageError, and InputError for sources that cannot be read."""
    # A pattern may climb out of the workspace to a source root beside it ("../logs"). The copy lies
    # deep enough for the same climb to end inside ``folder``.
    copy = folder.joinpath(*["w"] * (_climb(settings) + 1)) / workspace.name
    try:
        disk.make_folder(copy)
        _place(workspace / paths.SETTINGS, copy / paths.SETTINGS)
        recon = workspace / paths.RECON_DOC
        if recon.is_file():
            _place(recon, copy / paths.RECON_DOC)
        for declared in _declared(settings):
            for file in stream_files(workspace, settings, declared):
                target = _target(copy, settings, file)
                if target is not None and not target.exists():
                    _place(file.path, target)
        if settings.engine.source == "workspace":
            shutil.copytree(
                workspace / "pipeline", copy / "pipeline", ignore=shutil.ignore_patterns("__pycache__")
            )
    except OSError as error:
        raise disk_faults.storage_fault(error, copy, "The workspace was only read.") from error
    return copy


def _declared(settings: Settings) -> list[StreamSettings | EvaluationSettings]:
    return [*settings.streams, *settings.evaluations]


def _climb(settings: Settings) -> int:
    """The most ``..`` that any path of the settings holds."""
    texts = [
        *settings.workspace.source_roots,
        *(text for declared in _declared(settings) for text in declared.path),
    ]
    return max((PurePosixPath(text).parts.count("..") for text in texts), default=0)


def _target(copy: Path, settings: Settings, file: SourceFile) -> Path | None:
    """Where the copy's settings look for a source; None when that is the original itself."""
    if not file.relative.startswith("@"):
        return copy / file.relative
    name, _, rest = file.relative.removeprefix("@").partition("/")
    for root in settings.workspace.source_roots:
        if not Path(root).is_absolute() and Path(os.path.normpath(copy / root)).name == name:
            return Path(os.path.normpath(copy / root)) / rest
    return None


def _place(source: Path, target: Path) -> None:
    disk.make_folder(target.parent)
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(real, target)
