"""Which answers have both verdicts: approved in one run and rejected in another that was asked the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from pipeline.engine.chunk_entries import CATEGORY_CODE, NOT_SCORED
from pipeline.engine.chunk_index import KEY_BYTES, ChunkIndex, cut, numbers
from pipeline.engine.row_marks import RowMarks
from pipeline.engine.spool import Spool

_NO_KEY = bytes(KEY_BYTES)
_HALF = KEY_BYTES // 2
_PLACE = struct.Struct("<IIB")
_RECORD = struct.Struct("<16sIIB")
RECORD_BYTES = _RECORD.size
_REVIEWED, _APPROVED, _REJECTED = range(3)
_VERDICT = {CATEGORY_CODE["needs_human_review"]: _REVIEWED, CATEGORY_CODE["rejected"]: _REJECTED}


def conflict_keys(question: bytes, in_task: bytes, strict: bytes, loose: bytes) -> Iterator[bytes]:
    """Under which keys an answer is compared: the same question or, in a task, the same turns of others
    than the system; strictly, and loosely where the answer is not code as a whole."""
    for answer in (strict, loose):
        if answer != _NO_KEY:
            yield in_task[:_HALF] + answer[:_HALF]
            if question != _NO_KEY:
                yield question[:_HALF] + answer[:_HALF]


class ConflictSearch:
    """Takes the rows of every chunk, then tells the rows that share an answer with both verdicts.

    A run in review has no verdict, and is told of all the same.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def add(self, number: int, index: ChunkIndex, rows: Sequence[int]) -> None:
        codes = numbers("b", index.categories)
        questions, in_tasks = cut(index.question_keys), cut(index.task_question_keys)
        strictly, loosely = cut(index.response_keys), cut(index.loose_response_keys)
        buffers, pack = self._spool.of_byte, _PLACE.pack
        for row in rows:
            code = codes[row]
            if code == NOT_SCORED:
                continue
            place = pack(number, row, _VERDICT.get(code, _APPROVED))
            for key in conflict_keys(questions[row], in_tasks[row], strictly[row], loosely[row]):
                # Of both halves: all rows may have one question, or one answer.
                buffers[key[0] ^ key[_HALF]] += key + place
        self._spool.settle()

    def finish(self) -> RowMarks[bool]:
        conflicting: RowMarks[bool] = RowMarks()
        for records in self._spool.take():
            rejected = {key for key, _, _, verdict in _RECORD.iter_unpack(records) if verdict == _REJECTED}
            if not rejected:
                continue
            both = {
                key
                for key, _, _, verdict in _RECORD.iter_unpack(records)
                if verdict == _APPROVED and key in rejected
            }
            if both:
                for key, chunk, row, _ in _RECORD.iter_unpack(records):
                    if key in both:
                        conflicting[chunk, row] = True
        return conflicting
