"""Which source files the settings' globs find, as far as a viewer needs to know."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import SettingsGlance, StreamGlance
from pipeline.reading.source_notes import standing_note

FILES_LIMIT = 2000


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
            files = list(islice(_files_of(root, settings, stream), room))
        except (OSError, ValueError, NotImplementedError) as error:
            trouble = f"stream {stream.name}: {', '.join(stream.globs)} cannot be followed: {error}"
            notes.add(trouble)
            continue
        room -= len(files)
        found += [str(path.relative_to(root)) for path in files if path.is_relative_to(root)]
        has_rows = stream.tier != 1 or any(_has_bytes(path) for path in files)
        if not has_rows and (note := standing_note(root, stream.name)) is None:
            empty.append(stream.name)
        elif not has_rows and note is not None:
            accepted.append(f"{stream.name} {note.words}")
        if room <= 0:
            notes.add(f"more than {FILES_LIMIT:,} source files; new ones may be overlooked here")
            break
    return FoundSources(tuple(found), tuple(empty), tuple(accepted), trouble, is_whole=room > 0)


def _files_of(root: Path, settings: SettingsGlance, stream: StreamGlance) -> Iterator[Path]:
    """Raises OSError, ValueError, NotImplementedError for a glob that cannot be followed."""
    roots = [root, *(root / other for other in settings.source_roots)]
    for pattern in stream.globs:
        path = PurePosixPath(pattern)
        if ".." in path.parts:
            continue
        for base in roots:
            relative = path
            if path.is_absolute():
                if not path.is_relative_to(base):
                    continue
                relative = path.relative_to(base)
            yield from (
                match for match in base.glob(str(relative)) if match.is_file() and not _is_journal(match)
            )


def _is_journal(path: Path) -> bool:
    return path.name.split(".", 1)[0] in paths.JOURNAL_STEMS


def _has_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
