"""One look: at a named file, or at the live SFT export of a workspace."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.firewall import beside, causes, evaluation_wall, formatted, kept_look, other_exports
from pipeline.firewall.export_version import NEWEST, version_of
from pipeline.firewall.file_scan import FileScan
from pipeline.firewall.formatted_truth import checked
from pipeline.firewall.index import Index
from pipeline.firewall.known_rows import KnownRows
from pipeline.firewall.open_commit import wait_while_open
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.report import Report, State
from pipeline.firewall.split_sides import rule_of
from pipeline.firewall.walls import ALL_WALLS, Wall, Walls

_TRIES = 3  # looks at files that are replaced underneath before giving up


def scan(places: Places, standing: Collection[Wall] = ALL_WALLS, keep: Path | None = None) -> Report:
    """Read the file through the walls. What cannot be evaluated is UNKNOWN, never clear.

    ``keep`` is where a look that found nothing is kept, for the next look to go on from (``kept_look``).
    """
    names = tuple(wall.value for wall in Wall if wall in standing)
    blank = Report(State.UNKNOWN, places.shown, names, quarantined=tuple(places.quarantined()))
    if places.is_live and places.root is not None and not wait_while_open(places.root):
        return replace(blank, detail="a run is putting its outputs in place; scan again")
    report = blank
    for _ in range(_TRIES):
        before = places.fingerprint()
        report = _scan_once(places, standing, blank, keep)
        if set(standing) == set(ALL_WALLS):
            report = evaluation_wall.joined(report, evaluation_wall.look(places))
        report = _with_cause(formatted.in_doubt(report), places)
        if places.fingerprint() == before:
            return report
    return replace(
        report, state=_unless_breach(report), detail="the files change faster than they can be read"
    )


def _with_cause(report: Report, places: Places) -> Report:
    if places.root is None or not report.findings.count:
        return report
    claim, found = causes.sft_claim(places.root), report.findings
    others = causes.others_as_written(places.root, found, report.file)
    return replace(report, cause=causes.cause_of(found, report.file, claim, report.sha256, others))


def _scan_once(places: Places, standing: Collection[Wall], blank: Report, keep: Path | None = None) -> Report:
    is_verdict = set(standing) == set(ALL_WALLS)  # fewer walls are for measuring and need no digest
    try:
        places.check_target()
        descriptor = open_regular(places.target)
    except FileMissingError:
        if places.root is not None and not places.root.is_dir():
            return replace(blank, detail="the workspace is gone")
        absent = replace(blank, state=State.ABSENT, detail="there is no such file")
        if is_verdict and other_exports.stand(places):
            others, _ = _index(places, standing)
            if others is not None:
                absent = other_exports.joined(absent, other_exports.compare(places, others))
        return _with_files_beside(absent, places, None)
    except FileRefusedError as refused:
        return replace(blank, detail=str(refused))
    try:
        index, known = _kept_index(places, keep) if keep is not None and is_verdict else (None, None)
        if index is None:
            index, _ = _index(places, standing)
        doubt = None if index is None else index.doubt
        started = time.perf_counter()
        walls = Walls(index, standing, rule_of(places))
        file_scan = FileScan(descriptor, places.shown, walls, with_digest=is_verdict, known=known)
        while file_scan.advance():
            pass
        seconds = time.perf_counter() - started
    except OSError as error:
        return replace(blank, detail=f"cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)
    findings = file_scan.findings.joined(file_scan.unterminated())
    if is_verdict and index is not None:
        doubt = index.doubt  # rows may have gone uncompared since
    rows = file_scan.rows_read + (1 if file_scan.feed.rest else 0)
    sha256 = file_scan.sha256.hexdigest() if is_verdict and not file_scan.is_cut_off else None
    state = State.CLEAR
    if findings.count:
        state = State.BREACH
    elif doubt is not None and rows:
        state = State.UNKNOWN
    report = replace(
        without_fidelity(blank) if index is not None and index.version == 1 else blank,
        state=state,
        detail=file_scan.cut_off if file_scan.is_cut_off else doubt or "",
        rows_read=rows,
        findings=findings,
        warnings=file_scan.warnings,
        sha256=sha256,
        index=describe_index(index),
        scan_seconds=seconds,
    )
    if keep is not None and index is not None and known is not None and state is State.CLEAR:
        kept_look.keep(keep, index, known)
    if is_verdict and index is not None:
        report = other_exports.joined(report, other_exports.compare(places, index))
    return _with_files_beside(report, places, sha256)


def without_fidelity(report: Report) -> Report:
    """The report on an export of version 1, for which the wall of fidelity does not stand."""
    walls = tuple(wall for wall in report.walls if wall != Wall.FIDELITY)
    if walls == report.walls:
        return report
    return replace(
        report,
        walls=walls,
        not_evaluated={**report.not_evaluated, Wall.FIDELITY.value: "the export is of version 1"},
    )


def _with_files_beside(report: Report, places: Places, sha256: str | None) -> Report:
    """The report with what is to be said of formatted and other files beside a live export."""
    if places.root is None or not places.is_live:
        return report
    files = checked(places, formatted.survey(places.root, sha256))
    report = formatted.joined(report, files)
    return beside.joined(report, beside.survey(places.root))


def _index(places: Places, standing: Collection[Wall]) -> tuple[Index | None, str | None]:
    """The index if any standing wall needs one, and why it may not be relied on."""
    if not {Wall.LINEAGE, Wall.CONTENT, Wall.FIDELITY} & set(standing):
        return None, None
    scored, evidence, problems = places.index_files()
    index = Index(scored, evidence, problems, version_of(places))
    for _ in index.build():
        pass
    return index, index.doubt


def _kept_index(places: Places, keep: Path) -> tuple[Index | None, KnownRows | None]:
    """The index and the rows that are known of a look that was kept, or those of one that is to be kept.

    Exports of version 1 are judged otherwise, so that no look at one is kept.
    """
    if version_of(places) != NEWEST:
        return None, None
    scored, evidence, problems = places.index_files()
    look = kept_look.resumed(keep, scored, evidence, problems)
    if look is not None:
        return look
    index = Index(scored, evidence, problems, is_kept=True)
    for _ in index.build():
        pass
    return index, KnownRows() if index.is_kept else None


def describe_index(index: Index | None) -> dict[str, Any]:
    if index is None:
        return {}
    counts = index.counts
    return {
        "runs": index.runs.runs,
        "rejected": counts.rejected,
        "rejected_unseen": counts.rejected_unseen,
        "scored_rows": counts.scored_rows,
        "evidence_rows": counts.evidence_rows,
        "unreadable": index.unreadable,
        "seconds": round(counts.seconds, 6),
    }


def _unless_breach(report: Report) -> State:
    return State.BREACH if report.state is State.BREACH else State.UNKNOWN
