"""PURE but for file sizes: a run's summary as row counts, and what its receipt says of the firewall."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.row_counts import Balance, ExportCounts, StreamCounts
from pipeline.contracts.status import FirewallStatus, FirewallWord, Freshness, Origin, RowCounts
from pipeline.platform.lenient_json import Json, count_of, object_of, text_of
from pipeline.reading.past_runs import Receipt

NOT_SINCE = "; not scanned since: distill firewall"
# Every member but the stream's name is a count.
_COUNTED = fields(StreamCounts)[1:]


def rows_of_summary(root: Path, summary: Json, origin: Origin) -> RowCounts:
    """Counts by stream and export, with the laws of conservation that they must obey."""
    counts = object_of(summary, "counts")
    streams = object_of(summary, "streams")
    exports = tuple(
        ExportCounts(
            name, count_of(counts, name), count_of(counts, f"quarantined_{name}"), _size(root / path)
        )
        for name, path in paths.EXPORT_FILES.items()
    )
    return RowCounts(
        origin,
        stream_counts("total", counts),
        tuple(stream_counts(str(name), value) for name, value in streams.items()),
        exports,
        _balances(counts),
    )


def stream_counts(name: str, counts: object) -> StreamCounts:
    return StreamCounts(name, **{field.name: count_of(counts, field.name) for field in _COUNTED})


def firewall_of_receipt(exported: Receipt | None) -> FirewallStatus:
    """The verdict on the file when it was exported: old news, so CLEAR reads STALE."""
    claim = object_of(exported.body, "firewall") if exported else {}
    file = str(paths.SFT_EXPORT)
    if exported is None or not claim:
        return FirewallStatus(file=file, detail="not scanned yet: distill firewall")
    as_of = epoch_seconds(exported.body.get("finished_at"))
    state = text_of(claim, "state")
    words = {"CLEAR": FirewallWord.STALE, "BREACH": FirewallWord.BREACH}
    if state not in words:
        why = f"{state or 'nothing'} when it was exported: no answer"
        origin = Origin(exported.relative, None, Freshness.UNKNOWN, why)
        return FirewallStatus(FirewallWord.UNKNOWN, origin, file, detail=f"{why}{NOT_SINCE}")
    return FirewallStatus(
        words[state],
        Origin(exported.relative, as_of, Freshness.STALE, "read when it was exported, not since"),
        file,
        findings_count=count_of(claim, "findings") or 0,
        sha256=text_of(claim, "sft_sha256"),
        detail=f"{state} when it was exported{NOT_SINCE}",
    )


def _balances(counts: Json) -> tuple[Balance, ...]:
    laws = (
        ("lines", "lines", ("mapped", "looked_up", "skipped")),
        ("scored", "scored", CATEGORIES),
        ("sft", "scored", ("sft", "quarantined_sft")),
        ("rag", "scored", ("rag", "quarantined_rag")),
    )
    balances = []
    for name, left_name, right_names in laws:
        left = count_of(counts, left_name)
        right = tuple((key, value) for key in right_names if (value := count_of(counts, key)) is not None)
        if left is not None and len(right) == len(right_names):
            balances.append(Balance(name, left, right))
    return tuple(balances)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
