"""Count again, from the files alone, what the three receipts say was counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.audit.p3_verdicts import CATEGORIES
from pipeline.audit.rows import ExportedRow, RowFile
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import FOUND, LOST, rows_by_field

_LINE_COUNTS = ("lines", "mapped", "looked_up", "skipped", "evidence")
_OF_LINES = ("lines", "looked_up")


@dataclass
class Recount:
    """Counts by stream, and reasons, of each stage.

    ``uncounted`` streams lost a source file, so that their lines cannot be counted again.
    """

    lines: dict[str, dict[str, int]]
    uncounted: set[str]
    skip_reasons: Counter[str]
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    exports: dict[str, Counter[str]] = field(default_factory=dict)
    export_counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    scoring_skips: Counter[str] = field(default_factory=Counter)

    def differences(self, stage: str, receipt: Mapping[str, Any]) -> Iterator[str]:
        """One sentence for each claim of the receipt that is not what was counted."""
        match stage:
            case "materialize":
                yield from self._of_lines(receipt)
            case "score":
                yield from self._of_verdicts(receipt)
            case _:
                yield from _unequal("counts", dict(self.export_counts), receipt["counts"])
                yield from _unequal("reasons", dict(self.refusals), receipt["reasons"])
                for name in {**self.exports, **receipt["by_stream"]}:
                    claimed = receipt["by_stream"].get(name, {})
                    yield from _unequal(f"by_stream.{name}", dict(self.exports.get(name, {})), claimed)

    def _of_lines(self, receipt: Mapping[str, Any]) -> Iterator[str]:
        totals = dict.fromkeys(_LINE_COUNTS, 0)
        for name, claimed in receipt["by_stream"].items():
            counted = dict(self.lines.get(name, dict.fromkeys(_LINE_COUNTS, 0)))
            if name in self.uncounted:
                counted |= {key: claimed.get(key, 0) for key in _OF_LINES}
            yield from _unequal(f"by_stream.{name}", *_comparable(counted, claimed))
            for key in _LINE_COUNTS:
                totals[key] += counted[key]
        yield from _unequal("counts", totals, receipt["counts"])
        yield from _unequal("reasons", dict(self.skip_reasons), receipt["reasons"])

    def _of_verdicts(self, receipt: Mapping[str, Any]) -> Iterator[str]:
        totals: Counter[str] = Counter()
        for name in {**self.verdicts, **receipt["by_stream"]}:
            counted = {category: self.verdicts.get(name, Counter())[category] for category in CATEGORIES}
            yield from _unequal(f"by_stream.{name}", counted, receipt["by_stream"].get(name, {}))
            totals.update(counted)
        rows, skipped = totals.total(), self.scoring_skips.total()
        counted = {"rows_in": rows + skipped, "rows_out": rows, "skipped": skipped, **totals}
        yield from _unequal("counts", counted, receipt["counts"])
        yield from _unequal("reasons", dict(self.scoring_skips), receipt["reasons"])


def _comparable(
    counted: Mapping[str, int], claimed: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Without what no row tells: what was there once; and, of an older receipt, what it does not count."""
    counts_fields = any(key.startswith(FOUND) for key in claimed)
    return (
        {key: rows for key, rows in counted.items() if counts_fields or not key.startswith(FOUND)},
        {key: rows for key, rows in claimed.items() if not key.startswith(LOST)},
    )


def _unequal(where: str, counted: Mapping[str, int], claimed: Mapping[str, int]) -> Iterator[str]:
    for key in {**counted, **claimed}:
        if counted.get(key, 0) != claimed.get(key, 0):
            yield f"{where}.{key} is {counted.get(key, 0):,}, and the receipt says {claimed.get(key, 0):,}"


def recounted(view: WorkspaceView) -> Recount:
    """Raises OSError or OperatorError."""
    again = _recounted_lines(view)
    for scored in view.scored_files():
        for _, row in scored:
            again.verdicts.setdefault(row.stream, Counter())[row.category] += 1
    again.scoring_skips.update(skip.reason for _, skip in view.scoring_skips() or ())
    for export, place in paths.EXPORT_FILES.items():
        _recount_export(view, export, str(place), again)
    return again


def _recounted_lines(view: WorkspaceView) -> Recount:
    mapped: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    evidence: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    masks: dict[str, Counter[int]] = defaultdict(Counter)
    named: set[tuple[str, str]] = set()
    for file in view.filled_evidence_files():
        for _, row in file:
            evidence[row.stream] += 1
            masks[row.stream][row.mask()] += 1
            at, ranges = row.provenance, row.provenance.all_ranges
            named.update((row.stream, each.source_file) for each in ranges)
            mapped[row.stream][at.source_file, at.byte_offset] = sum(each.lines for each in ranges)
    scans = {(name, file.file.relative): file for name, scan in view.scans.items() for file in scan.files}
    mended: Counter[str] = Counter()
    for _, skip in view.skips():
        skipped[skip.stream] += 1
        reasons[skip.reason] += 1
        found = scans.get((skip.stream, skip.file))
        mended[skip.stream] += found is not None and found.lacks_only(skip.line, skip.reason)
    lines = {}
    for name, scan in view.scans.items():
        count = sum(file.lines for file in scan.files) + mended[name]
        looked_up = count - skipped[name] if scan.stream.role == "lookup" else 0
        counts = (count, sum(mapped[name].values()), looked_up, skipped[name], evidence[name])
        lines[name] = dict(zip(_LINE_COUNTS, counts, strict=True))
        lines[name] |= {f"{FOUND}{key}": rows for key, rows in rows_by_field(masks[name]).items()}
    return Recount(lines, _streams_that_lost_a_file(view, named, set(scans)), reasons)


def _streams_that_lost_a_file(
    view: WorkspaceView, named: set[tuple[str, str]], present: set[tuple[str, str]]
) -> set[str]:
    """Streams one of whose files was moved away since it was read, as far as claims, or the files that rows
    ``named``, tell.
    """
    lost = {name for name, scan in view.scans.items() if not scan.files}
    lost.update(stream for stream, _ in named - present)
    lost.update(skip.stream for _, skip in view.skips() if (skip.stream, skip.file) not in present)
    # The lines of a look-up leave no row behind that would name its file.
    if set(view.last_run.read_sources() or ()) - {file for _, file in present}:
        lost.update(name for name, scan in view.scans.items() if scan.stream.role == "lookup")
    return lost


def _recount_export(view: WorkspaceView, export: str, shown: str, again: Recount) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    again.export_counts[export] = again.export_counts[f"quarantined_{export}"] = 0
    for _, row in RowFile(view.workspace / shown, shown, ExportedRow):
        again.export_counts[export] += 1
        again.exports.setdefault(row.stream, Counter())[f"{export}_exported"] += 1
        if export == "preference":
            used[row.stream].update(filter(None, (row.chosen_run_id, row.rejected_run_id)))
    for stream, runs in used.items():
        again.exports[stream][f"{export}_used"] = len(runs)
    for _, refused in view.quarantine(export):
        again.export_counts[f"quarantined_{export}"] += 1
        again.refusals[f"{export}_{refused.reason}"] += 1
        again.exports.setdefault(refused.stream, Counter())[f"{export}_quarantined"] += 1
