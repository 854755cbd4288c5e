"""P2: the sources yield rows, no line is lost, and every row stands on its bytes.

Sources, evidence and skips are counted from the files; receipts are asked only which fields rows had
before. P2.conserves
looks at every line: it is in evidence, or in the skips, or in a look-up, and in one of them only.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.audit.failures import Failures
from pipeline.audit.rows import EvidenceRow, SourceRange
from pipeline.audit.scan import FileScan, StreamScan, scan_bytes
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts.evidence_fields import lost_fields, rows_by_field, usual_fields, words_of_loss
from pipeline.contracts.faults import InputError
from pipeline.contracts.plurals import plural, with_verb
from pipeline.streams.compiled import SCHEMA_VERSION
from pipeline.streams.declared import rules_of
from pipeline.streams.files import SourceFile, resolve_source
from pipeline.streams.walk import fields_with_a_rule

_RUN_ID_CHARACTERS = 16


def dry_run(view: WorkspaceView) -> Outcome:
    """Maps every source line in memory. Examines lines; a tier-1 stream with lines must yield.

    Nor may it lose a field that its rows have had: what they had, only the receipts can tell.
    """
    failures = Failures()
    partly: list[str] = []
    for name, scan in view.scans.items():
        for file in scan.files:
            if file.problem:
                failures.add(file.problem, file=file.file.relative)
            elif file.damage or file.unread:
                partly.append(f"{file.file.relative}: {file.damage or 'cannot be opened'}")
        yields = scan.looked_up if scan.stream.role == "lookup" else scan.evidence
        if scan.stream.tier == 1 and scan.lines and not yields:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in scan.reasons.most_common(3))
            failures.add(
                f"tier-1 stream {name} has {plural(scan.lines, 'line')} and yields no row ({reasons})"
            )
        lost = _lost_fields(view, scan)
        if lost and scan.stream.tier == 1:
            failures.add(words_of_loss(name, lost))
        elif lost:
            partly.append(words_of_loss(name, lost))
    lines = sum(scan.lines for scan in view.scans.values())
    rows = sum(scan.evidence for scan in view.scans.values())
    skipped = sum(scan.reasons.total() for scan in view.scans.values())
    if not rows:
        failures.add("no source yields a row")
    said = f"{plural(lines, 'line')} of {plural(len(view.scans), 'stream')}, {skipped:,} skipped"
    said += f", yield {plural(rows, 'row')}"
    if partly:
        said += f"; in part or not at all: {', '.join(partly[:3])}"
    return failures.outcome(
        lines,
        said,
        observed=plural(rows, "row"),
    )


def _lost_fields(view: WorkspaceView, scan: StreamScan) -> dict[str, int]:
    """Fields that no line fills any more, and that rows had at the last run or at one before it."""
    receipt = view.last_run.receipts.get("materialize")
    by_stream = (receipt.value or {}).get("by_stream") if receipt is not None else None
    counts = by_stream.get(scan.stream.name) if isinstance(by_stream, dict) else None
    if not isinstance(counts, dict) or not scan.evidence:
        return {}
    before = usual_fields({key: rows for key, rows in counts.items() if isinstance(rows, int)})
    return lost_fields(before, rows_by_field(scan.fields), fields_with_a_rule(rules_of(scan.stream)))


@dataclass
class _Ledger:
    """What evidence and skips say of one file's lines. ``rows`` counts evidence rows a line."""

    scan: FileScan
    is_lookup: bool
    rows: array[int] = field(init=False)
    skips: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.rows = array("L", bytes(array("L").itemsize * self.scan.lines))
        self.skips = bytearray(self.scan.lines)

    def count(self, at: SourceRange) -> bool:
        """One row more on each line of the range. False where there are not so many lines."""
        first = self.scan.position(at.first_line, at.byte_offset)
        if first is None or not 0 < at.lines <= self.scan.lines - first:
            return False
        for position in range(first, first + at.lines):
            self.rows[position] += 1
        return True


def conserves(view: WorkspaceView) -> Outcome:
    """lines = mapped + looked up + skipped, evidence = the sum of the parts; examines lines."""
    failures = Failures()
    ledgers = {
        (name, file.file.relative): _Ledger(file, scan.stream.role == "lookup")
        for name, scan in view.scans.items()
        for file in scan.files
    }
    gone: Counter[str] = Counter()
    rows = of_older_version = 0
    for evidence in (files := view.evidence_files()):
        for number, row in evidence:
            rows += 1
            of_older_version += row.schema_version < SCHEMA_VERSION
            for at in row.provenance.all_ranges:
                ledger = ledgers.get((row.stream, at.source_file))
                if ledger is None:
                    gone[at.source_file] += 1
                    continue
                if not ledger.count(at):
                    failures.add(
                        f"stands on line {at.first_line} of {at.source_file}, "
                        f"which has {plural(ledger.scan.lines, 'line')}",
                        file=evidence.shown,
                        line=number,
                        run_id=row.run_id,
                    )
    skips = view.skips()
    skipped = 0
    for number, skip in skips:
        ledger = ledgers.get((skip.stream, skip.file))
        skipped += 1
        if ledger is None:
            gone[skip.file] += 1
        elif ledger.scan.lacks_only(skip.line, skip.reason):
            continue
        elif (position := ledger.scan.position(skip.line, skip.byte_offset)) is None:
            failures.add(f"names line {skip.line} of {skip.file}", file=skips.shown, line=number)
        else:
            ledger.skips[position] = min(255, ledger.skips[position] + 1)
    failures.add_bad_rows([*files, skips])
    # What today's mapper makes of a line says nothing about rows that an earlier one wrote.
    count_parts = view.settings_are_those_of_the_run and not of_older_version
    mapped = looked_up = lines = 0
    for ledger in ledgers.values():
        lines += ledger.scan.lines
        in_evidence, in_lookup = _balance(ledger, failures, count_parts=count_parts)
        mapped += in_evidence
        looked_up += in_lookup
    detail = (
        f"lines {lines:,} = {mapped:,} mapped + {looked_up:,} joined + {skipped:,} skipped; "
        f"{rows:,} evidence rows"
    )
    if gone:
        detail += (
            f"; source_gone: {plural(gone.total(), 'row')} and skips of {plural(len(gone), 'file')}, "
            "not recounted"
        )
    if of_older_version:
        older = with_verb(of_older_version, "row", "is/are", "of an earlier version")
        detail += f"; {older}, so parts were not recounted"
    elif not count_parts:
        detail += "; the settings changed since the run, so the parts of a line were not recounted"
    return failures.outcome(lines + gone.total(), detail)


def _balance(ledger: _Ledger, failures: Failures, *, count_parts: bool) -> tuple[int, int]:
    """Every line of one file into exactly one place. Returns lines mapped, lines looked up."""
    mapped = looked_up = 0
    expected = ledger.scan.rows
    shown = ledger.scan.file.relative
    for index, (rows, skips) in enumerate(zip(ledger.rows, ledger.skips, strict=True)):
        if rows and not skips and not ledger.is_lookup:
            mapped += 1
            if not count_parts or rows == expected[index]:
                continue
            words = f"has {rows:,} evidence rows, and yields {expected[index]:,}"
        elif skips == 1 and not rows:
            continue
        elif ledger.is_lookup and not rows and not skips:
            looked_up += 1
            continue
        elif ledger.is_lookup and rows:
            words = "belongs to a look-up and has evidence"
        elif rows:
            words = "is both in evidence and among the skips"
        elif skips:
            words = f"was skipped {skips} times"
        else:
            words = "is neither in evidence nor among the skips"
        failures.add(f"{words} (stream {ledger.scan.stream})", file=shown, line=ledger.scan.numbers[index])
    return mapped, looked_up


def provenance(view: WorkspaceView) -> Outcome:
    """Each row's line is found at its offset with its digest, and names the row. Examines rows."""
    failures = Failures()
    resolver = _Resolver(view)
    gone: Counter[str] = Counter()
    rows = 0
    for evidence in (files := view.evidence_files()):
        for number, row in evidence:
            rows += 1
            words = _row_id_problem(row)
            if not words:
                scans = [resolver.find(row.stream, at.source_file) for at in row.provenance.all_ranges]
                if None in scans:
                    gone[row.provenance.source_file] += 1
                    continue
                words = _bytes_problem(row, scans)
            if words:
                failures.add(words, file=evidence.shown, line=number, run_id=row.run_id)
    failures.add_bad_rows(files)
    detail = f"all {with_verb(rows, 'row', 'was/were', 'resolved')}, no sample"
    if gone:
        names = ", ".join(sorted(gone)[:3])
        detail = (
            f"{rows - gone.total():,} of {plural(rows, 'row')} were resolved; source_gone: "
            f"{with_verb(gone.total(), 'row', 'rests/rest', 'on the recorded digest')}, "
            f"{with_verb(len(gone), 'file', 'was/were', 'moved away')} ({names})"
        )
    return failures.outcome(rows, detail)


def _row_id_problem(row: EvidenceRow) -> str:
    at = row.provenance
    origin = at.sig_hash if at.group is None else f"group\0{at.group}"
    identity = f"{row.stream}\0{origin}\0{at.part}".encode("utf-8", "replace")
    derived = f"{row.stream}/{hashlib.sha256(identity).hexdigest()[:_RUN_ID_CHARACTERS]}"
    return "" if derived == row.run_id else f"the run_id does not follow from its line: {derived} does"


def _bytes_problem(row: EvidenceRow, scans: Sequence[FileScan | str | None]) -> str:
    """What is wrong with the bytes that a row names; ``scans`` are those of its ranges."""
    at = row.provenance
    digests: list[bytes] = []
    for each, scan in zip(at.all_ranges, scans, strict=True):
        if not isinstance(scan, FileScan):
            return scan or ""
        words = _range_problem(each, scan, has_end=at.ranges is not None)
        if words:
            return words
        first = scan.position(each.first_line, each.byte_offset) or 0
        digests += [scan.digest_at(position) for position in range(first, first + each.lines)]
    first_range = at.all_ranges[0]
    if (at.source_file, at.line, at.byte_offset) != (
        first_range.source_file,
        first_range.first_line,
        first_range.byte_offset,
    ):
        return "names another place than its first range does"
    found = hashlib.sha256(b"".join(digests)).digest() if at.group is not None else digests[0]
    if found.hex() == at.sig_hash:
        return ""
    return f"line {at.line} of {at.source_file} holds other bytes than those that were read"


def _range_problem(at: SourceRange, scan: FileScan, *, has_end: bool) -> str:
    position = scan.position(at.first_line, at.byte_offset)
    if position is None or not 0 < at.lines <= scan.lines - position:
        return f"{at.source_file} has no line {at.first_line} (it has {scan.lines:,})"
    if scan.offsets[position] != at.byte_offset:
        begins = scan.offsets[position]
        return f"line {at.first_line} of {at.source_file} begins at byte {begins:,}, not {at.byte_offset:,}"
    last = position + at.lines - 1
    if at.lines > 1 and scan.numbers[last] != at.last_line:
        return f"the range from line {at.first_line} of {at.source_file} ends on line {scan.numbers[last]}"
    if has_end and scan.ends[last] != at.byte_end:
        return f"the range from line {at.first_line} of {at.source_file} ends at byte {scan.ends[last]:,}"
    return ""


class _Resolver:
    """Finds the scan of a file that provenance names, also where no stream reads it any more."""

    def __init__(self, view: WorkspaceView) -> None:
        self._view = view
        self._found: dict[tuple[str, str], FileScan | str | None] = {
            (name, file.file.relative): file.problem or file.unread or file
            for name, scan in view.scans.items()
            for file in scan.files
        }

    def find(self, stream: str, relative: str) -> FileScan | str | None:
        """The scan; what is wrong with the file; or None when it is gone."""
        key = (stream, relative)
        if key not in self._found:
            self._found[key] = self._look(stream, relative)
        return self._found[key]

    def _look(self, stream: str, relative: str) -> FileScan | str | None:
        try:
            path = resolve_source(self._view.workspace, self._view.settings, relative)
        except InputError as error:
            return error.fault.what_happened
        if not path.exists():
            return None
        read = (self._view.last_run.read_sources() or {}).get(relative)
        scan = scan_bytes(stream, SourceFile(relative, path), read)
        return scan.problem or scan.unread or scan
