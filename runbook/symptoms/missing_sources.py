"""What can be found out about streams without rows: who read them last, and where the file may lie.

A file that begins with just the bytes that a run once read is that file, whatever it is called
now. A name that is alike is only a hint. Files that no stream reads are looked through for both.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.reading.past_runs import committed_runs
from pipeline.reading.settings_glance import StreamGlance, streams_of
from pipeline.reading.source_files import relative_name
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.settings_history import tagged_settings
from runbook.probes.workspace import Workspace

_MOST_FILES = 5_000
_MOST_HASHED_BYTES = 512 * 2**20
_ALIKE = 0.6
_PIECE = 2**20
_GZIP = b"\x1f\x8b"
_PASSED_OVER = frozenset((".git", ".distill", "exports", "reports", "__pycache__", "pipeline", ".venv"))
_LOG = re.compile(r"\.(jsonl|ndjson|json|log)(\W|$)")
# What log rotation and careful people append: name.1, name.2026-04-27, name.archive.123, name.old.gz.
_ARCHIVED = re.compile(r"\.(gz|zst|bz2|xz|old|bak|archive|orig|\d+)(\.|$)|[-_.]\d{4}-?\d{2}-?\d{2}")


class Nearby(Record):
    """A file that may be the one. ``was`` is the path that a run read its bytes at.

    ``same_bytes`` when it holds at least the bytes that were read; ``is_archive`` by its name.
    """

    path: str
    bytes: int
    same_bytes: bool
    is_archive: bool
    alike: float
    was: str | None = None

    @property
    def told(self) -> str:
        if self.same_bytes:
            return f"{self.path}: {plural(self.bytes, 'byte')}, begins with just what was read as {self.was}"
        return f"{self.path}: {plural(self.bytes, 'byte')}, its name is alike"


def nearby(
    workspace: Workspace, stream: StreamGlance, claims: Sequence[tuple[str, int, str]]
) -> list[Nearby]:
    """The likeliest files first. ``claims`` are (path, bytes, sha256) of what runs read of it.

    The digests are of decompressed bytes. Reads at most ``_MOST_HASHED_BYTES``.
    """
    read = {
        relative_name(workspace.root, path)
        for each in workspace.streams()
        for path in workspace.files_of(each)
    }
    names = [*(Path(path).name for path, _, _ in claims), *(_stem(pattern) for pattern in stream.globs)]
    budget = _MOST_HASHED_BYTES
    found = []
    for path in _candidates(workspace.root):
        name = relative_name(workspace.root, path)
        size = path.stat().st_size
        if name in read or not size:
            continue
        alike = max((_alikeness(path.name, known) for known in names), default=0.0)
        was = None
        if size <= budget and (alike >= _ALIKE or any(size >= each for _, each, _ in claims)):
            was, spent = _same(path, claims)
            budget -= spent
        if was is not None or alike >= _ALIKE:
            found.append(
                Nearby(
                    path=name,
                    bytes=size,
                    same_bytes=was is not None,
                    is_archive=bool(_ARCHIVED.search(_suffix(path.name, names))),
                    alike=round(alike, 3),
                    was=was,
                )
            )
    return sorted(found, key=lambda each: (not each.same_bytes, -each.alike, each.path))


def _candidates(root: Path) -> Iterator[Path]:
    """Files that look like logs, anywhere in the workspace but in what the pipeline writes."""
    outputs = {str(paths.EVIDENCE), str(paths.SCORED_RUNS), "docs/recon"}
    seen = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(
            each for each in folders if each not in _PASSED_OVER and (here / each).as_posix() not in outputs
        )
        for name in sorted(files):
            path = Path(folder) / name
            if _LOG.search(name) and name.split(".", 1)[0] not in paths.JOURNAL_STEMS and path.is_file():
                seen += 1
                if seen > _MOST_FILES:
                    return
                if not path.is_symlink():
                    yield path


def _stem(pattern: str) -> str:
    return Path(pattern).name.replace("*", "").replace("?", "")


def _alikeness(name: str, known: str) -> float:
    """0..1; a name that begins with the known one is that one with something appended."""
    stem = known.split(".", 1)[0]
    if stem and name.startswith(stem):
        return 0.95
    # The ending is the same for all of them and says nothing.
    return difflib.SequenceMatcher(None, name.split(".", 1)[0], stem).ratio()


def _suffix(name: str, known: Sequence[str]) -> str:
    """What ``name`` has more than the known name it begins with; all of it otherwise."""
    longest = max((each for each in known if each and name.startswith(each)), key=len, default="")
    return name[len(longest) :]


def _same(path: Path, claims: Sequence[tuple[str, int, str]]) -> tuple[str | None, int]:
    """The claimed path whose bytes these are, and how many were read to tell."""
    wanted = sorted({(size, sha256, was) for was, size, sha256 in claims if size})
    digest, done, spent = hashlib.sha256(), 0, 0
    try:
        with disk.open_to_read(path) as raw:
            packed = raw.read(2) == _GZIP
        with disk.open_to_read(path) as plain, gzip.open(plain) if packed else plain as file:
            for size, sha256, was in wanted:
                while done < size:
                    piece = file.read(min(_PIECE, size - done))
                    if not piece:
                        return None, spent
                    digest.update(piece)
                    done += len(piece)
                    spent += len(piece)
                    if spent > _MOST_HASHED_BYTES:
                        return None, spent
                if digest.hexdigest() == sha256:
                    return was, spent
    except (OSError, EOFError, zlib.error):
        pass
    return None, spent


PROBE = "nearby"
_TITLE = "Where the files may have gone"


class Missing(Record):
    """What was found about one stream. ``claims`` are (path, bytes, sha256) that a run read of it."""

    stream: str
    globs: tuple[str, ...]
    empty_files: tuple[str, ...]
    tagged_globs: tuple[str, ...]
    tagged_finds: tuple[str, ...]
    last_run: str | None
    last_lines: int
    claims: tuple[tuple[str, int, str], ...]
    found: tuple[Nearby, ...]


class Sought(Record):
    """``any_source`` and ``any_run`` tell whether the workspace has any at all."""

    missing: tuple[Missing, ...] = ()
    any_source: bool = False
    any_run: bool = False


def missing_probe(names: Sequence[str]) -> Probe:
    """The probe for the streams called ``names``."""

    def find(workspace: Workspace, _seconds: float) -> Sought:
        return Sought(
            missing=tuple(each for each in _look(workspace) if each.stream in names),
            any_source=any(workspace.files_of(each) for each in workspace.streams()),
            any_run=next(committed_runs(workspace.root), None) is not None,
        )

    return record_probe(PROBE, _TITLE, 60.0, find, _lines)


def _look(workspace: Workspace) -> list[Missing]:
    tagged = {each.name: each for each in streams_of(tagged_settings(workspace))}
    found = []
    for stream in workspace.streams():
        if stream.tier != 1:
            continue
        then = tagged.get(stream.name, stream)
        files = workspace.files_of(stream)
        run, lines, claims = _last_read(workspace, stream, then)
        moved_path = then.globs != stream.globs
        found.append(
            Missing(
                stream=stream.name,
                globs=stream.globs,
                empty_files=tuple(relative_name(workspace.root, path) for path in files),
                tagged_globs=then.globs if moved_path else (),
                tagged_finds=tuple(
                    relative_name(workspace.root, path)
                    for path in (workspace.files_of(then) if moved_path else ())
                    if path.stat().st_size
                ),
                last_run=run,
                last_lines=lines,
                claims=claims,
                found=tuple(nearby(workspace, stream, claims)),
            )
        )
    return found


def _last_read(
    workspace: Workspace, stream: StreamGlance, then: StreamGlance
) -> tuple[str | None, int, tuple[tuple[str, int, str], ...]]:
    """The newest run that read lines of it, how many, and the files it claims to have read."""
    for run in committed_runs(workspace.root):
        lines = run.counts_of(stream.name).get("lines", 0)
        if lines:
            claims = [
                (str(each["path"]), int(each["bytes"]), str(each["sha256"]))
                for each in run.claims("materialize", "inputs")
                if _reads(stream, each) or _reads(then, each)
            ]
            return run.pipeline_run_id, lines, tuple(claims)
    return None, 0, ()


def _reads(stream: StreamGlance, claim: Mapping[str, Any]) -> bool:
    """Whether a file of that name in provenance is one of this stream's."""
    return any(fnmatchcase(str(claim.get("path")), pattern) for pattern in stream.globs)


def _lines(found: Sought) -> Iterator[str]:
    for missing in found.missing:
        yield f"{missing.stream}: {', '.join(missing.globs)} finds {plural(len(missing.empty_files), 'file')}"
        if missing.last_run is not None:
            yield f"  run {missing.last_run} read {plural(missing.last_lines, 'line')} of it"
        yield from (f"  {each.told}" for each in missing.found)
        if missing.tagged_globs:
            yield f"  its path in the last-good tag: {', '.join(missing.tagged_globs)}"
