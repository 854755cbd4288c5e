"""One training file, read through the walls; goes on where it stopped when the file has grown."""

from __future__ import annotations

import hashlib
import os
import threading

import msgspec
from msgspec import UNSET

from pipeline.firewall import sft_row
from pipeline.firewall.line_feed import LineFeed
from pipeline.firewall.report import Finding, Findings, shown_id
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.walls import ALLOWED_LABELS, Offence, Wall, Walls

CHUNK = 2 * 1024 * 1024
_HASH_BESIDE_FROM = 64 * 1024  # smaller pieces are not worth a thread


class FileScan:
    """The scan of one open file. ``findings`` are those of whole lines so far."""

    def __init__(self, descriptor: int, shown: str, walls: Walls) -> None:
        self.descriptor = descriptor
        self.shown = shown
        self.walls = walls
        self.findings = Findings()
        self.rows_read = 0
        self.position = 0
        self.feed = LineFeed()
        self.sha256 = hashlib.sha256()
        self._only_label = walls.standing == {Wall.LABEL}
        # Where the readable wall is down, a line that cannot be read is held up by another one.
        self._catches_unreadable = next(wall for wall in reversed(Wall) if wall in walls.standing)
        self._held_is_ascii = True

    def advance(self, limit: int = CHUNK) -> bool:
        """Read one piece. False when there was nothing more to read. May raise OSError."""
        data = os.pread(self.descriptor, limit, self.position)
        if not data:
            return False
        self.position += len(data)
        if self._only_label:  # one wall alone is no verdict on the file, so that it needs no digest
            self._take(data)
        elif len(data) < _HASH_BESIDE_FROM:
            self.sha256.update(data)
            self._take(data)
        else:
            # hashlib releases the interpreter lock: the digest costs nothing on a second core.
            beside = threading.Thread(target=self.sha256.update, args=(data,))
            beside.start()
            self._take(data)
            beside.join()
        return True

    def unterminated(self) -> Findings:
        """What there is to say of a last line without a line end. Empty when there is none."""
        findings = Findings()
        rest = self.feed.rest
        if rest:
            line, offset = self.feed.line, self.feed.offset
            self._unreadable(findings, line, offset, "the last line has no line end")
            try:
                row = sft_row.read_slowly(rest)
            except UnreadableError:
                return findings
            for offence in self.walls.judge(row):
                self._note(findings, line, offset, row, offence)
        return findings

    def _take(self, data: bytes) -> None:
        batch = self.feed.feed(data)
        for line, offset in batch.too_long:
            self.rows_read += 1
            self._unreadable(self.findings, line, offset, "line over 16 MiB")
        if self._only_label:
            self._labels(batch.lines, batch.first_line, batch.first_offset)
        else:
            is_ascii = data.isascii()
            self._judge(batch.lines, batch.first_line, batch.first_offset, is_ascii and self._held_is_ascii)
            self._held_is_ascii = is_ascii and (self._held_is_ascii or bool(batch.lines))

    def _judge(self, lines: list[bytes], first_line: int, offset: int, ascii_only: bool) -> None:
        read_fast, judge = sft_row.read_fast, self.walls.judge
        for number, line in enumerate(lines, first_line):
            row = read_fast(line) if ascii_only or _is_utf8(line) else None
            if row is None:
                try:
                    row = sft_row.read_slowly(line)
                except UnreadableError as error:
                    self._unreadable(self.findings, number, offset, str(error))
            if row is not None:
                for offence in judge(row):
                    self._note(self.findings, number, offset, row, offence)
            offset += len(line) + 1
        self.rows_read += len(lines)

    def _labels(self, lines: list[bytes], first_line: int, offset: int) -> None:
        """The label wall alone: as fast as the label can be found, the last one if it is repeated."""
        decode, allowed = sft_row.decode_label, ALLOWED_LABELS
        for number, line in enumerate(lines, first_line):
            try:
                label = decode(line).quality_score
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                label = UNSET
            if label not in allowed:
                self._label_in_doubt(number, offset, line)
            offset += len(line) + 1
        self.rows_read += len(lines)

    def _label_in_doubt(self, number: int, offset: int, line: bytes) -> None:
        try:
            row = sft_row.read_slowly(line)
        except UnreadableError as error:
            self._unreadable(self.findings, number, offset, str(error))
            return
        for offence in self.walls.judge(row):
            self._note(self.findings, number, offset, row, offence)

    def _unreadable(self, findings: Findings, line: int, offset: int, detail: str) -> None:
        self._note(findings, line, offset, None, Offence(self._catches_unreadable, detail))

    def _note(
        self, findings: Findings, line: int, offset: int, row: sft_row.SftRow | None, offence: Offence
    ) -> None:
        findings.add(
            Finding(
                wall=offence.wall.value,
                file=self.shown,
                line=line,
                byte_offset=offset,
                row_id=None if row is None else shown_id(row.id),
                run_id=None if row is None else shown_id(row.source_run_id),
                detail=offence.detail,
            )
        )


def _is_utf8(line: bytes) -> bool:
    if line.isascii():
        return True
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
