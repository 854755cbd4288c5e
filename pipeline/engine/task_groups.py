"""Rows that compete in their task, by partition: memory then holds the rows of some tasks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.engine.spool import Spool
from pipeline.stages.row_limits import ByTask, LimitedRow

# Task, chunk, row, rank, whether it is cut off, score, turns; bytes of run id, of turn keys and of weights.
_HEAD = struct.Struct("<16sIIb?dIHII")
RECORD_BYTES = _HEAD.size


def grouped_by_task(path: Path | None) -> ByTask:
    """``path`` is a file for the rows that memory does not hold; without one, memory holds them all."""

    def groups(rows: Iterable[LimitedRow]) -> Iterator[list[LimitedRow]]:
        spool = Spool(path)
        for number, row in enumerate(rows):
            spool.of_byte[row.task_key[0]] += _packed(row)
            if not number % _SETTLE_ROWS:
                spool.settle()
        return (_unpacked(records) for records in spool.take() if records)

    return groups


_SETTLE_ROWS = 1 << 12


def _packed(row: LimitedRow) -> bytes:
    run_id = row.run_id.encode()
    head = _HEAD.pack(
        row.task_key,
        *row.place,
        row.rank,
        row.is_cut_off,
        row.score,
        row.turns,
        len(run_id),
        len(row.turn_keys),
        len(row.weights),
    )
    return head + run_id + row.turn_keys + row.weights


def _unpacked(records: bytes) -> list[LimitedRow]:
    rows = []
    at = 0
    while at < len(records):
        task, chunk, ordinal, rank, is_cut_off, score, turns, *sizes = _HEAD.unpack_from(records, at)
        names, keys = at + _HEAD.size, at + _HEAD.size + sizes[0]
        weights = keys + sizes[1]
        at = weights + sizes[2]
        rows.append(
            LimitedRow(
                (chunk, ordinal),
                "",
                records[names:keys].decode(),
                task,
                rank,
                score,
                turns,
                records[keys:weights],
                records[weights:at],
                b"",
                is_cut_off,
            )
        )
    return rows
