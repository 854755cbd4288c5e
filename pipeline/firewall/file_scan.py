"""One training file, read through the walls; goes on where it stopped when the file has grown."""

from __future__ import annotations

import os

from pipeline.contracts.untrusted import visible
from pipeline.firewall import sft_row
from pipeline.firewall.digest_beside import DigestBeside
from pipeline.firewall.known_rows import KnownRows, row_key
from pipeline.firewall.line_feed import Block, LineFeed
from pipeline.firewall.report import Finding, Findings, shown_id
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.walls import ALLOWED_LABELS, QUOTED, Offence, Wall, Walls

READ_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024  # small enough to stay in the processor's cache while it is parsed


class FileScan:
    """The scan of one open file. ``findings`` and ``warnings`` are those of whole lines so far."""

    def __init__(
        self,
        descriptor: int,
        shown: str,
        walls: Walls,
        *,
        with_digest: bool = True,
        known: KnownRows | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.shown = shown
        self.walls = walls
        self.findings = Findings()
        self.warnings = Findings()
        self.rows_read = 0
        self.position = 0
        self.feed = LineFeed()
        self.sha256 = DigestBeside()
        self._with_digest = with_digest
        self._known = known
        self._only_label = walls.standing == {Wall.LABEL}
        # Where the readable wall is down, a line that cannot be read is held up by another one.
        self._catches_unreadable = next(wall for wall in reversed(Wall) if wall in walls.standing)

    def advance(self, limit: int = READ_BYTES) -> bool:
        """Read one piece. False when there was nothing more to read. May raise OSError."""
        data = os.pread(self.descriptor, limit, self.position)
        if not data:
            return False
        self.position += len(data)
        if self._with_digest:
            self.sha256.update(data)
        for start in range(0, len(data), _BLOCK_BYTES):
            for block in self.feed.feed(data[start : start + _BLOCK_BYTES]):
                self._take(block)
        return True

    def unterminated(self) -> Findings:
        """What there is to say of a last line without a line end. Empty when there is none."""
        findings = Findings()
        rest = self.feed.rest
        if rest:
            line, offset = self.rows_read + 1, self.feed.offset
            self._unreadable(findings, line, offset, "the last line has no line end")
            try:
                row = sft_row.read_slowly(rest)
            except UnreadableError:
                return findings
            for offence in self.walls.judge(row):
                if offence.is_breach:
                    self._note(findings, line, offset, row, offence)
        return findings

    def _take(self, block: Block) -> None:
        if block.data is None:
            self.rows_read += 1
            self._unreadable(self.findings, self.rows_read, block.offset, "line over 16 MiB")
        elif self._known is not None:
            self._take_unknown(block, self._known)
        elif self._only_label:
            labels = sft_row.labels_of(block.data)
            if labels is not None and ALLOWED_LABELS.issuperset(labels):
                self.rows_read += len(labels)
            else:
                self._take_lines(block)
        else:
            rows = sft_row.read_block(block.data)
            if rows is None:
                self._take_lines(block)
                return
            suspects, _ = self.walls.suspects(rows)
            if suspects:
                places = list(block.lines())
                if len(places) != len(rows):  # a member that is no text may hold a line feed
                    self._take_lines(block)
                    return
                for number in suspects:
                    self._take_line(self.rows_read + number + 1, *places[number])
            self.rows_read += len(rows)

    def _take_unknown(self, block: Block, known: KnownRows) -> None:
        """The lines of a block that no look has called clean yet."""
        lines = list(block.lines())
        keys = [row_key(line) for _, line in lines]
        unknown = known.unknown(keys)
        rows = sft_row.read_block(b"".join([lines[at][1] + b"\n" for at in unknown])) if unknown else []
        if rows is None or len(rows) != len(unknown):
            suspects = set(unknown)
        else:
            found, tails = self.walls.suspects(rows)
            suspects = {unknown[number] for number in found}
            for at, row, tail in zip(unknown, rows, tails, strict=True):
                if at not in suspects:
                    known.add(keys[at], str(row.source_run_id), tail)
        for at in sorted(suspects):
            self._take_line(self.rows_read + at + 1, *lines[at])
        self.rows_read += len(lines)

    def _take_lines(self, block: Block) -> None:
        """Line by line: something in the block is in doubt."""
        for offset, line in block.lines():
            self.rows_read += 1
            self._take_line(self.rows_read, offset, line)

    def _take_line(self, number: int, offset: int, line: bytes) -> None:
        try:
            row, other = sft_row.read_with_rest(line)
        except UnreadableError as error:
            self._unreadable(self.findings, number, offset, str(error))
            return
        offences = self.walls.judge(row)
        if other is not None and self.walls.fidelity and not any(each.is_breach for each in offences):
            said = f"it holds a member that no exporter writes: '{visible(other, QUOTED)}'"
            offences.append(Offence(Wall.FIDELITY, said))
        for offence in offences:
            noted = self.findings if offence.is_breach else self.warnings
            self._note(noted, number, offset, row, offence)

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
