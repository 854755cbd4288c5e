"""One look of the firewall for ``distill status``, within a time limit.

The scan runs as the installed firewall's own process. Without an answer the state is UNKNOWN, with
the reason, what was known before, and no age: nothing was observed, so that nothing is called clear.
What was found CLEAR is not scanned again as long as nothing was touched (``pipeline.reading.kept_clear``);
its age is that of the scan.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console.reading.row_counts_report import NOT_SINCE
from pipeline.contracts.status import FirewallStatus, FirewallWord
from pipeline.platform.firewall import Unknown
from pipeline.reading.firewall_words import status_of
from pipeline.reading.kept_clear import heard


def scan_or_known(
    root: Path, known: FirewallStatus, limit_seconds: float | None = None, *, from_kept: bool = False
) -> FirewallStatus:
    """The firewall's verdict now, else UNKNOWN with the reason. ``known`` when it is not to be asked.

    It is asked without an SFT export, too: it judges every export, and what lies beside them. It has the
    time of any look, or ``limit_seconds`` (0: it is not asked). ``from_kept``: a CLEAR that still holds
    will do.
    """
    if limit_seconds is not None and limit_seconds <= 0:
        return known
    answer, looked_at = heard(root, limit_seconds, from_kept=from_kept)
    seen = status_of(answer, looked_at)
    if not isinstance(answer, Unknown):
        return seen
    was_judged = known.origin.as_of is not None
    before = f"; last known: {known.detail.removesuffix(NOT_SINCE)}" if was_judged and known.detail else ""
    detail = f"{seen.detail}{before}"
    if known.state is FirewallWord.BREACH:  # an alarm is not silenced by one who could not look
        return replace(known, detail=detail)
    return replace(seen, detail=detail)
