"""Streams of role ``lookup``: lines that other streams take values from, by id.

Ids are compared as text, so that ``7`` in one log is ``"7"`` in another. The first line with an
id counts, in the order of files and lines; a later one that says something else is skipped, so
that its difference is on record. Tables are held in memory whole.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import InputError
from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.model import Settings, StreamSettings
from pipeline.storage.source_lines import read_line
from pipeline.storage.whole_json import read_source
from pipeline.streams.conditions import Predicate, compile_all
from pipeline.streams.declared import rules_of
from pipeline.streams.files import SourceFile, ending_of, stream_files
from pipeline.streams.misfit import MisfitError
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.texts import scalar_text


@dataclass(frozen=True)
class LookupTable:
    """``rows`` is id → line. ``digest`` (hex sha256) changes when any value taken from it could."""

    stream: str
    rows: dict[str, dict[str, Any]]
    digest: str
    _key: Getter = field(repr=False)
    _where: Predicate | None = field(repr=False)

    def check(self, value: dict[str, Any]) -> LineFault | None:
        """Why a line of the stream is no row of the table, or None when it is."""
        row_id = _identify(value, self._key, self._where)
        if isinstance(row_id, LineFault):
            return row_id
        if self.rows.get(row_id) != value:
            return LineFault(
                SkipReason.DUPLICATE_LOOKUP_KEY, "an earlier line has the same id and other values"
            )
        return None


def load_lookups(workspace: Path, settings: Settings) -> dict[str, LookupTable]:
    """The table of every look-up stream by its name. Raises as ``load_lookup``."""
    return {
        stream.name: load_lookup(stream, stream_files(workspace, settings, stream))
        for stream in settings.streams
        if stream.role == "lookup"
    }


def load_lookup(stream: StreamSettings, files: Iterable[SourceFile]) -> LookupTable:
    """The table of ``stream``, whose ``files`` are given in order.

    Lines that cannot be used are left out; the run over the stream counts them with ``check``.
    A file that cannot be read is passed over: who lists the stream's sources names it. Raises
    SettingsError when the rules cannot be used.
    """
    if stream.key is None:
        raise ValueError(f"{stream.name} is no look-up stream")
    key, where = compile_path(stream.key), compile_all(rules_of(stream).where)
    rows: dict[str, dict[str, Any]] = {}
    digests: list[bytes] = []
    for file in files:
        with contextlib.suppress(InputError):
            for line in read_source(file.path, ending_of(file.relative, stream)):
                # A torn tail may still change, so it is left for the next run.
                value = read_line(line)
                if isinstance(value, LineFault):
                    continue
                row_id = _identify(value, key, where)
                if isinstance(row_id, str) and row_id not in rows:
                    rows[row_id] = value
                    digests.append(hashlib.sha256(line.raw).digest())
    # Sorted: which files the rows came from, and in which order, changes no value.
    digest = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    return LookupTable(stream.name, rows, digest, key, where)


def _identify(value: dict[str, Any], key: Getter, where: Predicate | None) -> str | LineFault:
    try:
        if where is not None and not where(value):
            return LineFault(SkipReason.FILTERED_OUT, "the stream's where does not hold")
        found = key(value)
        if found is None or found == "":
            return LineFault(SkipReason.MISSING_FIELD, "key: the line has no id")
        return scalar_text(found)
    except MisfitError as misfit:
        return LineFault(misfit.reason, f"key: {misfit.detail}")
