"""Which source files the settings' globs find: those that the engine reads, found without its code."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.platform.listable import check_listable, fixed_part
from pipeline.reading import reach
from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import SettingsGlance, StreamGlance
from pipeline.reading.source_notes import standing_note

FILES_LIMIT = 2000
LOGS_LIMIT = 20_000
# Of names that end so, whatever a compressor or a rotation has added.
_OF_LOGS = frozenset((".jsonl", ".json", ".ndjson", ".log", ".traj", ".parquet", ".csv", ".eval"))
# What the pipeline writes; no stream reads it.
_OUTPUTS = tuple(
    f"{folder}/" for folder in (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS, "reports", paths.STATE)
)


@dataclass(frozen=True, slots=True)
class FoundSources:
    """Files under the workspace, relative to it. ``is_whole`` is False past the limit.

    ``empty_tier_1`` leaves out the streams whose emptiness somebody ``accepted`` with a note; those
    are told with its words. ``trouble`` says which streams could not be looked for, and why.
    """

    files: tuple[str, ...] = ()
    empty_tier_1: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    trouble: str = ""
    is_whole: bool = True

    def not_among(self, known: Collection[str]) -> tuple[str, ...]:
        return tuple(name for name in self.files if name not in known)


def find_sources(root: Path, settings: SettingsGlance, notes: Notes) -> FoundSources:
    """Follow each stream's globs. Files outside the workspace count for their stream only."""
    found: list[str] = []
    empty: list[str] = []
    accepted: list[str] = []
    trouble = ""
    room = FILES_LIMIT
    for stream in settings.streams:
        try:
            files = list(islice(files_of(root, settings, stream), room))
            has_rows = stream.tier != 1 or any(_has_bytes(path) for path in files)
            if not has_rows:
                for pattern in stream.globs:
                    check_listable(root, pattern)
        except (OSError, ValueError) as error:
            trouble = f"stream {stream.name}: {', '.join(stream.globs)} cannot be followed: {error}"
            notes.add(trouble)
            continue
        room -= len(files)
        found += [name for path in files if not (name := relative_name(root, path)).startswith("/")]
        if not has_rows and (note := standing_note(root, stream.name)) is None:
            empty.append(stream.name)
        elif not has_rows and note is not None:
            accepted.append(f"{stream.name} {note.words}")
        if room <= 0:
            notes.add(f"more than {FILES_LIMIT:,} source files; new ones may be overlooked here")
            break
    return FoundSources(tuple(found), tuple(empty), tuple(accepted), trouble, is_whole=room > 0)


def files_of(root: Path, settings: SettingsGlance, stream: StreamGlance) -> Iterator[Path]:
    """The files that the engine would read, each once: inside the workspace or a source root.

    What the pipeline writes itself, journals and hidden files are none, and neither is a link that leads
    out. Raises OSError, ValueError for a glob that cannot be followed.
    """
    tops = [os.path.realpath(top) for top in (root, *(root / other for other in settings.source_roots))]
    seen: set[str] = set()
    folders: dict[Path, str] = {}
    for pattern in stream.globs:
        # glob.iglob leaves hidden files out unless the pattern names them, as the engine does.
        for match in glob.iglob(pattern, root_dir=root, recursive=True):  # noqa: PTH207 (as above)
            path = root / match
            name = relative_name(root, path)
            if name in seen or _is_ours(name) or not path.is_file():
                continue
            # A folder is resolved once: there may be thousands of files in it.
            folder = folders.get(path.parent) or folders.setdefault(
                path.parent, os.path.realpath(path.parent)
            )
            real = Path(os.path.realpath(path) if path.is_symlink() else folder)
            if any(real.is_relative_to(top) for top in tops):
                seen.add(name)
                yield path


def relative_name(root: Path, path: Path) -> str:
    """Below the workspace as provenance has it, elsewhere the whole path."""
    plain = Path(os.path.normpath(path))
    return plain.relative_to(root).as_posix() if plain.is_relative_to(root) else plain.as_posix()


def unread_logs(root: Path, settings: SettingsGlance) -> tuple[str, ...]:
    """Files that look like logs, lie where streams read or logs belong, and that none reads; sorted.

    As ``distill streams check`` lists them; none while the settings cannot be read, of which others tell.
    """
    if settings.trouble:
        return ()
    known: set[str] = set()
    globs: list[str] = []
    for reader in [*settings.streams, *_evaluation_sets(settings)]:
        try:
            files = list(islice(files_of(root, settings, reader), FILES_LIMIT))
        except (OSError, ValueError):
            continue
        known.update(relative_name(root, path) for path in files)
        globs += reader.globs
    return tuple(sorted(logs_beside(root, globs) - known))


def _evaluation_sets(settings: SettingsGlance) -> Iterator[StreamGlance]:
    declared = settings.document.get("evaluation")
    for one in declared if isinstance(declared, list) else ():
        said = one.get("path") if isinstance(one, dict) else None
        globs = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        yield StreamGlance("", 2, "source", tuple(glob for glob in globs if isinstance(glob, str)))


def logs_beside(root: Path, globs: Iterable[str]) -> set[str]:
    """Names of all logs where logs belong and in the folders of globs; of each folder so many."""
    folders = {paths.KNOWLEDGE_BASE, *(fixed_part(PurePosixPath(pattern)) for pattern in globs)}
    return {name for folder in folders for name in islice(_logs_in(root, folder), LOGS_LIMIT)}


def _logs_in(root: Path, folder: PurePosixPath) -> Iterator[str]:
    """What looks like a log and is none of ours: a folder's files; where logs belong, its folders' too."""
    if folder.is_absolute() or ".." in folder.parts:
        return
    is_deep = folder == paths.KNOWLEDGE_BASE
    for here, inner, names in os.walk(root / folder):
        inner[:] = sorted(name for name in inner if is_deep and not name.startswith("."))
        for name in names:
            path = Path(here, name)
            relative = relative_name(root, path)
            is_log = not name.startswith(".") and bool(_OF_LOGS & set(PurePosixPath(name).suffixes))
            if is_log and not _is_ours(relative) and stat.S_ISREG(path.lstat().st_mode):
                yield relative


def _is_ours(name: str) -> bool:
    if name.startswith(_OUTPUTS):
        return True
    last = name.rpartition("/")[2]
    return name.startswith(f"{paths.KNOWLEDGE_BASE}/") and last.split(".", 1)[0] in paths.JOURNAL_STEMS


def _has_bytes(path: Path) -> bool:
    """Raises OSError for one that is there and may not be looked at."""
    try:
        return path.stat().st_size > 0
    except OSError as error:
        if error.errno in reach.GONE:
            return False
        raise
