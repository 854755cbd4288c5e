"""Which files belong to a stream, in an order that no file system chooses.

A file is named in provenance by its path below the workspace, or, when it lies in one of
``source_roots``, by ``@`` with the root's own name and the path below it: the name says
nothing of where on this machine the root is.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.listable import check_listable
from pipeline.settings.confine import OUTPUTS, is_inside, resolved, source_roots
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings
from pipeline.storage.archives import Ending

# What rotation appends to a name, or puts before the last suffix: a date with or without a time of
# the day, and (only at the end) a number, seconds since the epoch, or "old".
_DATE = r"[-._](?:\d{8}(?:[-_T.]?\d{2}){0,3}|\d{4}-\d{2}-\d{2}(?:[-_T]\d{2}(?:[-_:.]?\d{2}){0,2})?)"
_ROTATED = re.compile(rf".(?:\.\d{{1,3}}|[-.]\d{{10}}|\.old|{_DATE}(?:\.[A-Za-z][A-Za-z0-9]*)?)\Z", re.DOTALL)
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


_KEPT = "Nothing was written; the last outputs are in place."


class SourceFile(NamedTuple):
    """``relative`` is the name in provenance, ``path`` where the file is on this machine."""

    relative: str
    path: Path


@dataclass
class Listing:
    """What a stream's path names. ``refused`` is name → why it is no source: a pipe, a dangling link."""

    files: list[SourceFile] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def stream_files(
    workspace: Path, settings: Settings, stream: StreamSettings | EvaluationSettings
) -> list[SourceFile]:
    """The regular files that ``stream``, or an evaluation set, reads, sorted by the bytes of their names.

    Journals, their archives, the pipeline's own outputs and hidden files are never among them.
    Raises InputError where the path leads out of the workspace and its source roots, and, for an
    evaluation set, for a link that does and for a name that is not UTF-8. Raises StorageError where a
    folder may not be listed: which files it holds, nobody can say.
    """
    return list_sources(workspace, settings, stream).files


def list_sources(workspace: Path, settings: Settings, stream: StreamSettings | EvaluationSettings) -> Listing:
    """``stream_files``, and what else stands under the names that the stream's path asks for.

    A folder is refused only where the path names it without a wildcard. Nothing is opened. Raises as
    ``stream_files``.
    """
    roots = _named_roots(workspace, settings)
    found: dict[str, Path] = {}
    listing = Listing()
    for pattern in stream.path:
        try:
            check_listable(workspace, pattern)
        except OSError as error:
            folder = Path(os.fsdecode(error.filename or workspace))
            raise storage_fault(error, folder, _KEPT, doing="read") from error
        for path in _matches(workspace, pattern):
            relative = _name(path, workspace, roots)
            if is_ours(relative):
                continue
            why = _no_file(path, is_named=not glob.has_magic(pattern))
            if why:
                listing.refused[visible(relative)] = why
            if why is not None:
                continue
            if not is_inside(path, workspace, list(roots.values())):
                # What the settings name outside is a mistake in them; a link is one more thing in a folder.
                if isinstance(stream, EvaluationSettings) or PurePosixPath(relative).is_absolute():
                    raise _leaves(path, stream)
                listing.refused[visible(relative)] = (
                    "a link that leads out of the workspace and its source_roots"
                )
                continue
            if not _is_utf8(relative):
                if isinstance(stream, EvaluationSettings):
                    raise _no_utf8(relative, stream)
                # One such file stops its stream's other files as little as a pipe does.
                listing.refused[visible(relative)] = (
                    "its name is not UTF-8, so no row could hold it; rename it"
                )
                continue
            found[relative] = path
    listing.files = [SourceFile(name, found[name]) for name in sorted(found, key=os.fsencode)]
    return listing


def ending_of(relative: str, stream: StreamSettings) -> Ending:
    """Whether more lines may come to a file that is not compressed: a rotated one is finished."""
    is_closed = stream.closed or _ROTATED.search(PurePosixPath(relative).name)
    return Ending.CLOSED if is_closed else Ending.OPEN


def _no_file(path: Path, *, is_named: bool) -> str | None:
    """What ``path`` is instead of a regular file; "" for a folder that a wildcard happened to meet."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a link that leads nowhere" if path.is_symlink() else f"not to be looked at: {error.strerror}"
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return f'a folder (its files: "{visible(path.name)}/*.jsonl")' if is_named else ""
    return next((words for is_kind, words in _KINDS if is_kind(mode)), "no regular file")


def resolve_source(workspace: Path, settings: Settings, relative: str) -> Path:
    """Where the file that provenance calls ``relative`` is on this machine. It need not exist.

    Raises InputError when the name leads out of the workspace and its source roots.
    """
    roots = _named_roots(workspace, settings)
    first, _, rest = relative.partition("/")
    path = roots[first[1:]] / rest if first.startswith("@") and first[1:] in roots else workspace / relative
    if not is_inside(path, workspace, list(roots.values())):
        raise InputError.of(
            code="source_outside",
            what_happened=f"{visible(relative)} is in neither the workspace nor its source_roots.",
            kept_safe="Nothing was read.",
            do_next="Name its directory in [workspace] source_roots, or restore that run's settings.",
            file=relative,
        )
    return path


def _named_roots(workspace: Path, settings: Settings) -> dict[str, Path]:
    roots: dict[str, Path] = {}
    for root in source_roots(workspace, settings):
        if roots.setdefault(root.name, root) != root:
            raise SettingsError.of(
                code="source_roots_alike",
                what_happened=f"Two source_roots are both called {visible(root.name)}.",
                kept_safe="Nothing was written.",
                do_next="Provenance tells roots apart by their last name: link one under another name.",
                file=str(paths.SETTINGS),
            )
    return roots


def _matches(workspace: Path, pattern: str) -> Iterator[Path]:
    # glob.iglob, not Path.glob: it leaves hidden files out unless the pattern names them, as a
    # shell does, and takes an absolute pattern.
    for match in glob.iglob(pattern, root_dir=workspace, recursive=True):  # noqa: PTH207
        yield workspace / match


def _name(path: Path, workspace: Path, roots: dict[str, Path]) -> str:
    """The file's name in provenance. A file that is nowhere keeps its whole path, to be refused by."""
    lexical = Path(os.path.normpath(path))
    below = _below(lexical, workspace)
    if below is not None:
        return below
    # Roots are resolved, so a root that is itself reached through a link needs the same.
    real = resolved(lexical.parent) / lexical.name
    for root_name, root in roots.items():
        below = _below(real, root)
        if below is not None:
            return f"@{root_name}/{below}"
    return lexical.as_posix()


def _below(path: Path, root: Path) -> str | None:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def is_ours(relative: str) -> bool:
    """Whether the pipeline writes it: a journal, an archive of one, an output."""
    path = PurePosixPath(relative)
    if any(path.is_relative_to(output) for output in OUTPUTS):
        return True
    in_journals = path.is_relative_to(paths.KNOWLEDGE_BASE)
    return in_journals and path.name.split(".", 1)[0] in paths.JOURNAL_STEMS


def _is_utf8(relative: str) -> bool:
    try:
        relative.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_utf8(relative: str, evaluation: EvaluationSettings) -> InputError:
    return InputError.of(
        code="source_name_not_utf8",
        what_happened=f"The name of {visible(relative)} is not UTF-8, so no report could hold it.",
        kept_safe="It was not read; the last outputs are in place.",
        do_next=f"Rename it, or take it out of the path of {evaluation.name}.",
        file=visible(relative),
    )


def _leaves(path: Path, stream: StreamSettings | EvaluationSettings) -> InputError:
    return InputError.of(
        code="source_outside",
        what_happened=f"{visible(str(path))} leads out of the workspace and its source_roots.",
        kept_safe="It was not read; the last outputs are in place.",
        do_next=f"Replace the link by the file, or name its directory in source_roots ({stream.name}).",
        file=str(path),
    )
