"""The state of a watcher: each look does a little work and says what is known now.

Two scans may exist. ``_whole`` has read the file to its end and follows it as it grows.
``_fresh`` reads from the start: at first, when the file was replaced, or when the index behind
the walls has changed; until it is through, ``_whole`` goes on catching what is appended. What
is not known is STALE or UNKNOWN, never CLEAR.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pipeline.contracts.finding_words import FIRST_READING
from pipeline.firewall import beside, evaluation_wall, formatted, open_commit, other_exports, prefix_check
from pipeline.firewall.beside import BesideWatch
from pipeline.firewall.causes import cause_of, others_as_written, sft_claim
from pipeline.firewall.evaluation_watch import EvaluationWatch
from pipeline.firewall.export_version import NEWEST, version_of
from pipeline.firewall.file_scan import FileScan
from pipeline.firewall.formatted_watch import FormattedWatch
from pipeline.firewall.grace import doubted
from pipeline.firewall.index import Index
from pipeline.firewall.other_exports_watch import OtherExportsWatch
from pipeline.firewall.places import Places, change_time, signature
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.prefix_check import PrefixCheck
from pipeline.firewall.report import Findings, Report, State
from pipeline.firewall.scan import without_fidelity
from pipeline.firewall.split_sides import rule_of
from pipeline.firewall.state_events import now
from pipeline.firewall.walls import ALL_WALLS, Walls

RETRY_SECONDS = 2.0
SLICE_SECONDS = 0.04  # of work in one look, so that a growing file is looked at in between
MID_APPEND_SECONDS = 0.2  # a line without its end is a writer at work for so long
_MTIME = 3  # position in a signature


@dataclass(frozen=True)
class Sighting:
    """What one look knows. ``is_reading``: look again at once, there is more to read.

    ``is_settled``: until a file changes, another look would say the same.
    """

    report: Report
    since: str | None
    rows_total: int | None
    is_reading: bool
    is_settled: bool


class Sentinel:
    def __init__(self, places: Places, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._index: Index | None = None
        self._next_index: Index | None = None
        self._building: Iterator[None] | None = None
        self._index_seen: list[tuple[int, ...]] | None = None
        self._index_tried = 0.0
        self._index_readings = 0  # that have ended
        self._whole: FileScan | None = None
        self._fresh: FileScan | None = None
        self._seen: tuple[int, ...] = ()
        self._window = b""
        self._check: PrefixCheck | None = None
        self._rest_seen = (-1, 0.0)
        self._tail = Findings()
        self._formatted = FormattedWatch(clock)
        self._beside = BesideWatch(clock)
        self._evaluation = EvaluationWatch(clock)
        self._others = OtherExportsWatch()
        self._asks_others = False
        self._was_read = self._was_held = False
        self._held_state = State.UNKNOWN
        self._since: str | None = None
        self._version: tuple[tuple[int, ...], int] = ((), NEWEST)
        self._cause: tuple[tuple[str, dict[str, int]], str | None] | None = None

    def look(self) -> Sighting:
        """Do a slice of work and say what is known. Raises nothing that a file can cause."""
        deadline = self._clock() + SLICE_SECONDS
        try:
            blank = self._look_at_files(deadline)
        except FileMissingError:
            self._drop()
            self._work(deadline)  # the other exports may stand all the same
            gone = self._places.root is not None and not self._places.root.is_dir()
            blank = self._blank(State.UNKNOWN if gone else State.ABSENT,
                                "the workspace is gone" if gone else "there is no such file")  # fmt: skip
        except (FileRefusedError, OSError) as error:
            self._drop()
            why = error.strerror if isinstance(error, OSError) else str(error)
            blank = self._blank(State.UNKNOWN, f"cannot be read: {why}")
        report = self._judged(blank)
        self._held_state = State.CLEAR if report.state is State.CLEAR else State.UNKNOWN
        if report.state is not State.BREACH:
            self._since = None
        elif self._since is None:
            self._since = now()
        is_reading = report.state is not State.ABSENT and bool(self._building or self._fresh)
        return Sighting(report, self._since, self._rows_total(), is_reading, self._is_settled())

    def close(self) -> None:
        self._drop()

    def _is_settled(self) -> bool:
        """Nothing is half read, half written, in its time of grace, or held for a run that commits."""
        at_work = self._building or self._fresh or self._check or self._was_held
        writing = self._whole is not None and bool(self._whole.feed.rest)
        judged = self._clock() - self._rest_seen[1] > 2 * MID_APPEND_SECONDS
        watches = (self._formatted, self._beside, self._evaluation)
        settled = all(each.is_settled for each in watches)
        others = self._others.is_settled or not self._asks_others
        return not at_work and (judged or not writing) and settled and others

    def _look_at_files(self, deadline: float) -> Report:
        """Follow index and file. The state returned is what holds if there are no findings."""
        held = (
            self._places.is_live and self._places.root is not None and open_commit.is_open(self._places.root)
        )
        self._was_held = held
        self._places.check_target()
        if not held:
            self._follow_index()
        self._follow_file(held)
        self._work(deadline)
        if held:
            known = State.UNKNOWN if self._whole is None or self._index is None else self._held_state
            return self._blank(known, "a run is putting its outputs in place; the verdict is held")
        if self._index is None or self._fresh is not None or self._building is not None:
            reading = "reading again, something changed" if self._was_read else FIRST_READING
            return self._blank(State.STALE if self._was_read else State.UNKNOWN, reading)
        doubt = self._index.doubt
        rows = self._whole.rows_read if self._whole is not None else 0
        return self._blank(State.UNKNOWN if doubt and rows else State.CLEAR, doubt or "")

    def _follow_index(self) -> None:
        """Start to read the index, or the part by which it has grown, when its files changed."""
        scored, evidence, problems = self._places.index_files()
        version = self._version_now()
        seen = [(version,), *(signature(path) for path in (*scored, *evidence))]
        if seen == self._index_seen and not self._is_worth_another_try(problems):
            return
        self._index_seen, self._index_tried = seen, self._clock()
        if (
            self._index is not None
            and self._building is None
            and self._index.version == version
            and self._index.can_grow(scored, evidence, problems)
        ):
            self._next_index = self._index
            self._building = self._index.grow()
        else:
            self._next_index = Index(scored, evidence, problems, version)
            self._building = self._next_index.build()

    def _version_now(self) -> int:
        """Looked up once for each file that stands there, since it reads its beginning."""
        seen = self._signature()[:3]
        if seen != self._version[0]:
            self._version = (seen, version_of(self._places))
        return self._version[1]

    def _is_worth_another_try(self, problems: list[str]) -> bool:
        """Permissions come and go without a trace in size and time, so that troubles are retried."""
        if self._index is None or self._building is not None:
            return False
        if problems != self._index.listed:
            return True
        troubled = bool(self._index.problems)
        return troubled and self._clock() - self._index_tried >= RETRY_SECONDS

    def _follow_file(self, held: bool) -> None:
        """Open the file, or see whether it was replaced, truncated, edited or has grown."""
        seen = self._signature()
        scan = self._whole or self._fresh
        if scan is None:
            self._restart()
        elif seen != self._seen:
            if not seen:
                raise FileMissingError
            if seen[:2] != self._seen[:2] or seen[2] < scan.position:
                if not held:
                    self._restart()
            elif self._whole is not None:
                self._check_prefix(self._whole, seen)
        if not held or seen[:2] == self._seen[:2]:
            self._seen = seen

    def _check_prefix(self, scan: FileScan, seen: tuple[int, ...]) -> None:
        """The file is longer, or was touched: go on only if what was read still stands."""
        edited = seen[2] == scan.position and seen[_MTIME] != self._seen[_MTIME]
        if edited or prefix_check.window(scan.descriptor, scan.position) != self._window:
            self._restart()
        elif self._check is None:
            self._check = PrefixCheck(scan.position, scan.sha256.hexdigest(), self._clock())

    def _restart(self) -> None:
        """Read the file from its start, by the index as it is."""
        descriptor = open_regular(self._places.target)
        self._drop()
        self._seen = self._signature()
        self._fresh = FileScan(descriptor, self._places.shown, self._walls())

    def _signature(self) -> tuple[int, ...]:
        seen = signature(self._places.target)
        return (*seen, change_time(self._places.target)) if seen else ()

    def _walls(self) -> Walls:
        return Walls(self._index, ALL_WALLS, rule_of(self._places))

    def _work(self, deadline: float) -> None:
        """Read until the slice is over: what was appended first, then the index, then the file."""
        if self._whole is not None:
            self._advance_whole(self._whole, deadline)
        while self._building is not None and self._clock() < deadline:
            if next(self._building, self) is self:
                self._index_is_read()
        while self._fresh is not None and self._building is None and self._clock() < deadline:
            if not self._fresh.advance():
                self._fresh_is_whole(self._fresh)
        if self._check is not None and self._whole is not None:
            same = self._check.advance(self._whole.descriptor, self._clock())
            if same is not None:
                self._check = None
            if same is False:
                self._restart()

    def _advance_whole(self, scan: FileScan, deadline: float) -> None:
        grown = False
        while self._clock() < deadline and scan.advance():
            grown = True
        if grown:
            self._window = prefix_check.window(scan.descriptor, scan.position)
        # A writer may be in the middle of its line; it is judged when it is still so next time.
        if not scan.feed.rest or self._rest_seen[0] != scan.position:
            self._tail, self._rest_seen = Findings(), (scan.position, self._clock())
        elif not self._tail.count and self._clock() - self._rest_seen[1] >= MID_APPEND_SECONDS:
            self._tail = scan.unterminated()

    def _index_is_read(self) -> None:
        index, self._building, self._next_index = self._next_index, None, None
        if index is not None and index.must_be_rebuilt:
            self._next_index = Index(index.scored, index.evidence, list(index.listed), index.version)
            self._building = self._next_index.build()
            return
        self._index = index
        self._index_readings += 1
        scan = self._whole or self._fresh
        if scan is not None:
            again = FileScan(os.dup(scan.descriptor), self._places.shown, self._walls())
            if self._fresh is not None:
                os.close(self._fresh.descriptor)
            self._fresh = again

    def _fresh_is_whole(self, scan: FileScan) -> None:
        if self._whole is not None:
            os.close(self._whole.descriptor)
        self._whole, self._fresh = scan, None
        self._window = prefix_check.window(scan.descriptor, scan.position)
        self._check, self._tail, self._rest_seen = None, Findings(), (-1, 0.0)
        self._was_read = True

    def _judged(self, blank: Report) -> Report:
        """Put findings, digest and cause to the state."""
        best = self._fresh if self._fresh is not None and self._fresh.findings.count else self._whole
        scan = best or self._fresh
        findings = Findings() if scan is None else scan.findings
        rows = 0 if scan is None else scan.rows_read
        if scan is not None and scan is self._whole and self._tail.count:
            findings, rows = findings.joined(self._tail), rows + 1
        is_whole = scan is not None and scan is self._whole and not scan.is_cut_off
        sha256 = scan.sha256.hexdigest() if scan is not None and is_whole else None
        if scan is not None and scan.is_cut_off:
            blank = replace(blank, detail=blank.detail or scan.cut_off)
        warnings = Findings() if scan is None else scan.warnings
        report = replace(blank, rows_read=rows, findings=findings, warnings=warnings, sha256=sha256)
        is_absent = report.state is State.ABSENT
        self._asks_others = scan is not None or (is_absent and other_exports.stand(self._places))
        if self._asks_others:
            at_rest = not (self._was_held or self._building or self._fresh)
            index = self._index if at_rest else None
            others = self._others.look(self._places, index, self._index_readings)
            report = other_exports.joined(report, others)
        report = formatted.joined(report, self._formatted.look(self._places, sha256))
        report = beside.joined(report, self._beside.look(self._places))
        report = evaluation_wall.joined(report, self._evaluation.look(self._places))
        report = formatted.in_doubt(doubted(report, self._formatted.doubt, self._beside.doubt))
        if not report.findings.count:
            return report
        return replace(report, state=State.BREACH, cause=self._cause_of(report.findings, sha256))

    def _cause_of(self, findings: Findings, sha256: str | None) -> str | None:
        """Looked up once for each content of the file, since it reads receipts."""
        key = (sha256 or "", {**findings.by_wall, **findings.by_file})
        if self._places.root is None or sha256 is None:
            return None
        if self._cause is None or self._cause[0] != key:
            claim = sft_claim(self._places.root)
            others = others_as_written(self._places.root, findings, self._places.shown)
            self._cause = (key, cause_of(findings, self._places.shown, claim, sha256, others))
        return self._cause[1]

    def _rows_total(self) -> int | None:
        """Rows of the whole file, estimated from the part that was read."""
        scan = self._fresh or self._whole
        if scan is None or not scan.position or not self._seen:
            return None
        return max(scan.rows_read, round(scan.rows_read * self._seen[2] / scan.position))

    def _blank(self, state: State, detail: str) -> Report:
        report = Report(state, self._places.shown, tuple(wall.value for wall in ALL_WALLS), detail)
        return without_fidelity(report) if self._index is not None and self._index.version == 1 else report

    def _drop(self) -> None:
        """Forget the file; the index stays."""
        for scan in (self._whole, self._fresh):
            if scan is not None:
                os.close(scan.descriptor)
        self._whole = self._fresh = self._check = None
        self._tail, self._rest_seen, self._seen = Findings(), (-1, 0.0), ()
