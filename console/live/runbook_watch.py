"""When the runbook's detectors are asked (at the start, when told, when something changed), and how.

A look is a child of low priority, with a time limit. It never runs in this process: detectors start engines
and read whole exports, and a broken runbook must cost the runbook alone. It costs about a second of a
processor, so what is judged is watched by its ``stat`` alone: code, settings, sources, outputs, reports. A
change is waited out until it is quiet for a moment. Looks live on a budget, their children included: after a
few quick ones they take no more than ``SHARE`` of one core, and one that has to wait says until when.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from console.live.workspace_changes import set_within
from console.state.runbook_state import KnownSymptom, RunbookReading, parse
from console.state.view_state import RunbookHeard
from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_environment
from pipeline.platform.lenient_json import stamp_of
from pipeline.platform.process import NotWantedError, run
from pipeline.platform.process_end import Ended
from pipeline.reading.incidents import IncidentGlance, read_incidents
from pipeline.reading.report_files import Notes

LIMIT_SECONDS = 120.0
LOWEST_PRIORITY = 19
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Look:
    """``symptoms`` is empty when it failed; ``trouble`` then says so in three lines."""

    symptoms: tuple[KnownSymptom, ...] = ()
    trouble: tuple[str, ...] = ()
    took_seconds: float = 0.0
    processor_seconds: float = 0.0


def look_argv(root: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "console", "-C", str(root), "--json", "runbook", "detect"]


class RunbookLook:
    """``argv`` is for tests. ``run`` blocks; ``end`` may be called from another thread."""

    def __init__(
        self, root: Path, *, argv: Sequence[str] | None = None, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._argv = list(argv) if argv is not None else look_argv(root)
        self._limit_seconds = limit_seconds
        self._why_ended = ""

    def run(self) -> Look:
        """Look once. Never raises for what the child does."""
        ended = run(
            self._argv,
            limit_seconds=self._limit_seconds,
            env=firewall_environment(),
            keep_bytes=_MOST_BYTES,
            nice=LOWEST_PRIORITY,
            check=self._check,
        )
        if ended.timed_out:
            return _failed(f"it took longer than {self._limit_seconds:.0f} s", ended)
        if ended.exit_code is None:
            return _failed(ended.why, ended)
        try:
            symptoms = parse(ended.stdout)
        except ValueError:
            return _failed(f"exit {ended.exit_code}, {ended.last_words or 'it said nothing'}", ended)
        return Look(symptoms, (), ended.took_seconds, ended.processor_seconds)

    def end(self, why: str = "the console ended") -> None:
        """End the child, and all that it started: each dies with the one that started it."""
        self._why_ended = why

    def _check(self) -> None:
        if self._why_ended:
            raise NotWantedError(self._why_ended)


def _failed(why: str, ended: Ended) -> Look:
    trouble = (
        f"The runbook's detectors did not answer: {why}.",
        "Nothing was changed; what stands here is older, or from the console's own detectors.",
        "Try it by hand: distill runbook detect",
    )
    return Look((), trouble, ended.took_seconds, ended.processor_seconds)


SHARE = 0.025
BURST_SECONDS = 3.0
WATCH_SECONDS = 2.0
# Without a word of a change the files are looked at this many times less often.
_QUIET = 5
# A change that goes on is looked at in the middle after this long.
LONGEST_WAIT_SECONDS = 5.0
# Without any change: disks fill, installed packages and remote tags change beside the workspace.
EVERY_SECONDS = 900.0
_MOST_FILES = 10_000
_STAT_SHARE = 0.01
_CODE = PurePosixPath("pipeline")
_FILES = (
    paths.SETTINGS,
    paths.RECON_DOC,
    paths.DETERMINISM_REPORT,
    paths.AUDIT_DATA,
    paths.ACCEPTANCE_DATA,
    paths.RELEASE_MANIFEST,
    paths.REPORTS,
    paths.RUN_STATE,
    PurePosixPath(".git/HEAD"),
    PurePosixPath(".git/packed-refs"),
    PurePosixPath(".git/refs/tags"),
)
_TREES = (_CODE, paths.KNOWLEDGE_BASE, paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS)

Fingerprint = int


class Pace:
    """A budget of processor seconds that refills at ``share`` and holds at most ``burst``."""

    def __init__(self, now: float, *, share: float = SHARE, burst: float = BURST_SECONDS) -> None:
        self._share, self._burst = share, burst
        self._left, self._at = burst, now

    def spend(self, seconds: float, now: float) -> None:
        self._left, self._at = self._at_time(now) - seconds, now

    def ready_at(self, now: float) -> float:
        """When the next look may begin; ``now`` when it may begin at once."""
        left = self._at_time(now)
        return now if left > 0 else now - left / self._share

    def _at_time(self, now: float) -> float:
        return min(self._burst, self._left + (now - self._at) * self._share)


class RunbookWatch:
    """``ask`` wants a look now, whatever the budget says. ``make_look`` is for tests."""

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        make_look: Callable[[Path], RunbookLook] = RunbookLook,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._root = root
        self._clock, self._monotonic = clock, monotonic
        self._make_look = make_look
        self._watch_seconds = watch_seconds
        self._asked = asyncio.Event()
        self._changed = asyncio.Event()
        self._reading = RunbookReading()
        self._pace = Pace(monotonic())
        self._look: RunbookLook | None = None

    def ask(self) -> None:
        self._asked.set()
        self._changed.set()

    def wake(self) -> None:
        """Files changed: see whether they are any that the detectors judge."""
        self._changed.set()

    async def facts(self) -> AsyncGenerator[RunbookHeard, None]:
        """Readings for ever. Closing the iterator ends a look that is at work."""
        try:
            seen: Fingerprint | None = None
            incidents_seen: Fingerprint | None = None
            changed_since: float | None = self._monotonic()  # nothing was ever looked at
            looked_at = self._monotonic()
            while True:
                before = self._monotonic()
                found, incidents = await asyncio.to_thread(self._fingerprints)
                stat_seconds = self._monotonic() - before
                if incidents != incidents_seen:
                    incidents_seen = incidents
                    known, unread = await asyncio.to_thread(self._incidents)
                    yield self._heard(incidents=known, incidents_unread=unread)
                now = self._monotonic()
                is_quiet = found == seen
                if not is_quiet and seen is not None:
                    changed_since = changed_since or now
                seen = found
                if changed_since is None and now - looked_at >= EVERY_SECONDS:
                    changed_since = now
                waited = changed_since is not None and (
                    is_quiet or now - changed_since >= LONGEST_WAIT_SECONDS
                )
                ready_at = self._pace.ready_at(now)
                if self._asked.is_set() or (waited and ready_at <= now):
                    self._asked.clear()
                    changed_since = None
                    yield self._heard(looking_since=self._clock(), next_look=None)
                    yield await self._look_now()
                    looked_at = self._monotonic()
                elif waited:
                    owed = round(self._clock() + ready_at - now)
                    if owed != self._reading.next_look and self._reading.next_look is None:
                        yield self._heard(next_look=float(owed))
                await self._pause(stat_seconds, is_settled=changed_since is None)
        finally:
            if self._look is not None:
                self._look.end()

    async def _pause(self, stat_seconds: float, *, is_settled: bool) -> None:
        """Until the next look at the files; where there are many, that is later."""
        least = stat_seconds / _STAT_SHARE
        if is_settled:
            await set_within(self._changed, max(least, self._watch_seconds * _QUIET))
        self._changed.clear()
        await set_within(self._asked, least if is_settled else max(least, self._watch_seconds))

    async def _look_now(self) -> RunbookHeard:
        self._look = self._make_look(self._root)
        look: Look = await asyncio.to_thread(self._look.run)
        self._look = None
        self._pace.spend(look.processor_seconds, self._monotonic())
        if look.trouble:
            return self._heard(looking_since=None, trouble=look.trouble)
        return self._heard(
            symptoms=look.symptoms,
            read_at=self._clock(),
            took_seconds=look.took_seconds,
            looking_since=None,
            trouble=(),
        )

    def _heard(self, **changes: object) -> RunbookHeard:
        self._reading = replace(self._reading, **changes)  # type: ignore[arg-type]  # replace checks names
        return RunbookHeard(self._reading)

    def _incidents(self) -> tuple[tuple[IncidentGlance, ...], str]:
        """What there is, and why that is not known."""
        notes = Notes()
        found = tuple(read_incidents(self._root, notes))
        return found, notes.unreadable.get(str(paths.INCIDENTS), "")

    def _fingerprints(self) -> tuple[Fingerprint, Fingerprint]:
        """Of all that the detectors judge, and of the incidents' journals."""
        judged: list[tuple[object, ...]] = [stamp_of(self._root / relative) for relative in _FILES]
        for tree in _TREES:
            judged += _stats_below(self._root / tree)
        return hash(tuple(judged)), hash(tuple(_stats_below(self._root / paths.INCIDENTS)))


def _stats_below(folder: Path) -> Iterator[tuple[object, ...]]:
    """Every file below, links not followed; at most so many that a look at them stays cheap."""
    left = _MOST_FILES
    waiting = [str(folder)]
    while waiting and left > 0:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in ("__pycache__", "kept"):
                            waiting.append(entry.path)
                        continue
                    found = entry.stat(follow_symlinks=False)
                    yield entry.path, found.st_ino, found.st_size, found.st_mtime_ns
        except OSError:
            continue
