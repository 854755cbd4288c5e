"""BM25 over ``exports/rag/playbooks.jsonl``, in an SQLite FTS5 index that follows the file.

The index lies under ``.distill`` and can be made again: it remembers the digest of the playbooks
that it was built from, and one that does not fit is built anew beside it and renamed into place. Where
nothing can be written there, the same index serves one search and is kept nowhere.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, StorageError
from pipeline.engine.chunks import unreadable_source
from pipeline.platform import disk, disk_faults
from pipeline.storage.digests import sha256_of_file

INDEX_FILE = paths.STATE / "playbooks.sqlite3"
INDEX_VERSION = 1
# Words of a task that are searched for; the longest instruction has no need of more.
MAX_QUERY_WORDS = 64
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Playbook:
    """A playbook that was found. ``relevance`` is BM25, larger is closer, at least 0."""

    rag_id: str
    source_run_id: str
    title: str
    content: str
    relevance: float


def retrieve(workspace: Path, task: str, limit: int = 3) -> list[Playbook]:
    """The playbooks closest to ``task``, best first; equal ones in order of their ids.

    None when there are no playbooks or none shares a word with the task. Raises InputError when
    the playbooks cannot be read.
    """
    source = workspace / paths.RAG_EXPORT
    if not source.exists() or source.stat().st_size == 0:
        return []
    words = list(dict.fromkeys(_WORD.findall(task.casefold())))[:MAX_QUERY_WORDS]
    if not words:
        return []
    query = " OR ".join(f'"{word}"' for word in words)
    with closing(_open(workspace, source)) as database:
        found = database.execute(
            "SELECT rag_id, source_run_id, title, content, -bm25(playbooks, 0, 0, 2.0, 1.0) AS relevance"
            " FROM playbooks WHERE playbooks MATCH ? ORDER BY relevance DESC, rag_id LIMIT ?",
            (query, limit),
        ).fetchall()
    return [Playbook(row[0], row[1], row[2], row[3], max(0.0, float(row[4]))) for row in found]


def _open(workspace: Path, source: Path) -> sqlite3.Connection:
    """The index of ``source`` as it is now."""
    try:
        digest = sha256_of_file(source)
    except OSError as error:
        raise unreadable_source(source, error) from error
    path = workspace / INDEX_FILE
    if path.is_file():
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            built_from = database.execute("SELECT version, sha256 FROM built_from").fetchone()
        except sqlite3.DatabaseError:
            built_from = None
        if built_from == (INDEX_VERSION, digest):
            return database
        database.close()
    try:
        _build(path, source, digest)
    except (StorageError, sqlite3.Error):
        return _unkept(source, digest)
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def _unkept(source: Path, digest: str) -> sqlite3.Connection:
    """The index for this process alone: looking asks for no right to write."""
    database = sqlite3.connect("")
    try:
        _fill(database, source, digest)
    except (OSError, sqlite3.Error) as error:
        database.close()
        if isinstance(error, OSError):
            raise unreadable_source(source, error) from error
        raise _unusable(source, str(error)) from error
    return database


def _build(path: Path, source: Path, digest: str) -> None:
    """Raises StorageError, sqlite3.Error where it cannot be written."""
    disk.make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    disk.discard(temporary)
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, disk.FILE_MODE))
        with closing(sqlite3.connect(temporary)) as database:
            _fill(database, source, digest)
        disk.operations.replace(temporary, path)
    except (OSError, sqlite3.Error) as error:
        disk.discard(temporary)
        if isinstance(error, OSError):
            raise disk_faults.storage_fault(error, path, "The playbooks are untouched.") from error
        raise


def _fill(database: sqlite3.Connection, source: Path, digest: str) -> None:
    # The file is renamed into place whole or thrown away: a journal would protect nothing.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("CREATE TABLE built_from (version INTEGER, sha256 TEXT)")
    database.execute(
        "CREATE VIRTUAL TABLE playbooks USING fts5(rag_id UNINDEXED, source_run_id UNINDEXED,"
        " title, content, tokenize = 'unicode61 remove_diacritics 2')"
    )
    database.executemany("INSERT INTO playbooks VALUES (?, ?, ?, ?)", _rows(source))
    database.execute("INSERT INTO built_from VALUES (?, ?)", (INDEX_VERSION, digest))
    database.commit()


def _rows(source: Path) -> Iterator[tuple[str, str, str, str]]:
    with disk.open_to_read(source) as file:
        for number, line in enumerate(disk.lines_in(file, source), start=1):
            try:
                row: Any = orjson.loads(line)
                texts = tuple(row[name] for name in ("id", "source_run_id", "title", "content"))
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise _unusable(source, f"line {number} is no playbook", number) from error
            if not all(isinstance(text, str) for text in texts):
                raise _unusable(source, f"line {number} is no playbook", number)
            yield texts[0], texts[1], texts[2], texts[3]


def _unusable(source: Path, why: str, line: int | None = None) -> InputError:
    return InputError.of(
        code="playbooks_unusable",
        what_happened=f"{source} cannot be searched: {why}.",
        kept_safe="Nothing was changed.",
        do_next="Write the playbooks again: distill export-rag",
        file=str(source),
        line=line,
    )
