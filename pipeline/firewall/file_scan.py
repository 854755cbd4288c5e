"""One training file, read through the walls; goes on where it stopped when the file has grown."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from pipeline.contracts.untrusted import visible
from pipeline.firewall import sft_row
from pipeline.firewall.digest_beside import DigestBeside
from pipeline.firewall.known_rows import KnownRows, row_key
from pipeline.firewall.line_feed import Block, LineFeed
from pipeline.firewall.repeated_runs import RepeatedRuns
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
        self._runs = RepeatedRuns()
        self._keys: set[bytes] = set()  # of all rows, where known ones are passed over
        self._with_digest = with_digest
        self._known = known
        self._only_label = walls.standing == {Wall.LABEL}
        # Where the readable wall is down, a line that cannot be read is held up by another one.
        self._catches_unreadable = next(wall for wall in reversed(Wall) if wall in walls.standing)

    def advance(self, limit: int = READ_BYTES) -> bool:
        """Read one piece. False when nothing more is to be read: at the end, or in a line without one.

        May raise OSError.
        """
        if self.is_cut_off:
            return False
        data = os.pread(self.descriptor, limit, self.position)
        if not data:
            return False
        self.position += len(data)
        if self.walls.index is not None:
            self.walls.index.read_anew()
        if self._with_digest:
            self.sha256.update(data)
        for start in range(0, len(data), _BLOCK_BYTES):
            for block in self.feed.feed(data[start : start + _BLOCK_BYTES]):
                self._take(block)
        return True

    @property
    def is_cut_off(self) -> bool:
        """Whether reading stopped within a line: it is a finding, and the file has no digest."""
        return self.feed.is_endless

    @property
    def cut_off(self) -> str:
        """What to say of the rest of a file that ``is_cut_off``."""
        return f"line {self.rows_read:,} has no end within 64 MiB; the rest of the file was not read"

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
            places = list(block.lines()) if suspects else []
            if suspects and len(places) != len(rows):  # a member that is no text may hold a line feed
                self._take_lines(block)
                return
            for number, is_repeated in self._to_take(rows, frozenset(suspects)):
                places = places or list(block.lines())
                self._take_line(self.rows_read + number + 1, *places[number], is_repeated)
            self.rows_read += len(rows)

    def _take_unknown(self, block: Block, known: KnownRows) -> None:
        """The lines of a block that no look has called clean yet."""
        lines = list(block.lines())
        keys = [row_key(line) for _, line in lines]
        unknown = known.unknown(keys)
        rows = sft_row.read_block(b"".join([lines[at][1] + b"\n" for at in unknown])) if unknown else []
        taken: dict[int, bool | None] = dict.fromkeys(self._again(keys), True)
        if rows is None or len(rows) != len(unknown):
            taken = {**dict.fromkeys(unknown), **taken}
        else:
            found, tails = self.walls.suspects(rows)
            taken = {**{unknown[at]: told for at, told in self._to_take(rows, frozenset(found))}, **taken}
            for at, row, tail in zip(unknown, rows, tails, strict=True):
                if at not in taken:
                    known.add(keys[at], str(row.source_run_id), tail)
        for at in sorted(taken):
            self._take_line(self.rows_read + at + 1, *lines[at], taken[at])
        self.rows_read += len(lines)

    def _take_lines(self, block: Block) -> None:
        """Line by line: something in the block is in doubt."""
        for offset, line in block.lines():
            self.rows_read += 1
            self._take_line(self.rows_read, offset, line)

    def _again(self, keys: Sequence[bytes]) -> set[int]:
        """Positions of the rows that are there already as they are, and known or not."""
        again = set()
        for at, key in enumerate(keys):
            if key in self._keys:
                again.add(at)
            self._keys.add(key)
        return again

    def _to_take(
        self, rows: Sequence[sft_row.SftRow], suspects: Collection[int]
    ) -> Iterator[tuple[int, bool | None]]:
        """Positions of the rows that are to be read by themselves, in order: each suspect, of which nobody
        knows yet whether it is a row of its run, and each other row whose run an earlier row has."""
        is_repeated = self._is_repeated
        for at, row in enumerate(rows):
            if at in suspects:
                yield at, None
            elif is_repeated(row):
                yield at, True

    def _is_repeated(self, row: sft_row.SftRow) -> bool:
        """Whether an earlier row that nobody objects to has the run of this one."""
        index, run_id = self.walls.index, row.source_run_id
        if index is None or index.version == 1 or not self.walls.lineage or not isinstance(run_id, str):
            return False
        return self._runs.has_seen(index.runs.get(run_id))

    def _take_line(self, number: int, offset: int, line: bytes, is_repeated: bool | None = None) -> None:
        """``is_repeated``: whether its run is that of an earlier row; None where nobody asked yet."""
        try:
            row, other = sft_row.read_with_rest(line)
        except UnreadableError as error:
            self._unreadable(self.findings, number, offset, str(error))
            return
        offences = self.walls.judge(row)
        if other is not None and self.walls.fidelity and not any(each.is_breach for each in offences):
            said = f"it has a field that no exporter writes: '{visible(other, QUOTED)}'"
            offences.append(Offence(Wall.FIDELITY, said))
        if not any(each.is_breach for each in offences) and (
            self._is_repeated(row) if is_repeated is None else is_repeated
        ):
            offences.append(Offence(Wall.LINEAGE, "its run is that of an earlier row"))
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
