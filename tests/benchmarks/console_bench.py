"""The console against a minimal Textual app on the same terminal, in the same run.

    python -m tests.benchmarks.console_bench [--quick]

Both run as subprocesses on pseudo-terminals of 120x40 with truecolor. Paints are found by what
they must contain, so a flush that happens to come does not count as an answer to a key.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.contracts import paths
from tests.benchmarks.figures import Figure, Table, as_text
from tests.benchmarks.pty_probe import Probe

HERE = Path(__file__).parent
MINIMAL = [sys.executable, "-P", str(HERE / "minimal_app.py")]
_SGR = rb"(?:\x1b\[[0-9;]*m)*"
_READY = rb"READY"
_FIRST_PAINT = rb"DRIFT"
# The firewall's word appears when the disk was read and the watcher has spoken.
_SETTLED = rb"CLEAR"
# And this one only when the watcher has read the whole file itself.
_ALL_READ = rb"OK CLEAR"
FLOOD_EVENTS = 10_000
# Read in a few seconds. On 5 GB and 2.2 million rows, by hand, the worst of three was 0.10 s.


@dataclass(frozen=True)
class Effort:
    """How long to look: starts, keys, seconds of rest, repeats of what ends a console."""

    starts: int = 7
    keys: int = 60
    rest_seconds: float = 20.0
    ends: int = 3


QUICK = Effort(starts=3, keys=25, rest_seconds=6.0, ends=1)


@dataclass(frozen=True)
class Keys:
    """Seconds from key to paint."""

    seconds: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(0.95 * (len(self.seconds) - 1))]


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_STATE_HOME") if name in os.environ}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


@contextlib.contextmanager
def minimal() -> Iterator[Probe]:
    with Probe(MINIMAL, environment()) as probe:
        yield probe


@contextlib.contextmanager
def console(root: Path, *options: str) -> Iterator[Probe]:
    argv = [sys.executable, "-P", "-m", "console", "-C", str(root), *options]
    with Probe(argv, environment()) as probe:
        yield probe


@contextlib.contextmanager
def talking_run(root: Path, rate: float, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "tests.benchmarks.event_flood", str(root), str(rate), *options]
    run = subprocess.Popen(argv, cwd=HERE.parents[1])
    try:
        yield run
    finally:
        run.kill()
        run.wait()


def measure(root: Path, effort: Effort, say: Callable[[str], None]) -> Table:
    """The console's figures. ``root`` is a workspace whose run is finished and firewall CLEAR."""
    figures: list[Figure] = []
    for name, take in _FIGURES:
        say(f"the console: {name}")
        figures += take(root, effort)
    load = os.getloadavg()[0]
    return Table(
        "Console",
        f"Against a minimal Textual app in the same run, 120x40, truecolor; load average {load:.1f} on "
        f"{os.cpu_count()} cores when it ended. Times of {effort.starts} starts and {effort.keys} keys.",
        tuple(figures),
    )


def _first_paint(root: Path, effort: Effort) -> list[Figure]:
    ours, theirs = [], []
    for _ in range(effort.starts):  # in turn, so that a neighbour's load meets both
        with minimal() as probe:
            theirs.append(probe.seconds_to(_READY))
        with console(root) as probe:
            ours.append(probe.seconds_to(_FIRST_PAINT))
    mine, other = statistics.median(ours), statistics.median(theirs)
    note = f"{mine * 1000:.0f} ms against {other * 1000:.0f} ms, medians"
    return [Figure("first paint", mine / other, 1.5, "×", note=note)]


def _press_minimal(probe: Probe, effort: Effort) -> Keys:
    pauses = random.Random(7)  # noqa: S311 (pauses, not secrets)
    seconds = []
    for number in range(effort.keys):
        probe.rest(pauses.uniform(0.03, 0.2))
        seconds.append(probe.press(str(number % 4 + 1).encode(), rb"key %d was" % (number % 4 + 1)))
    return Keys(seconds)


def _press_console(probe: Probe, effort: Effort) -> Keys:
    pauses = random.Random(7)  # noqa: S311 (pauses, not secrets)
    seconds = []
    for number in range(effort.keys):
        probe.rest(pauses.uniform(0.03, 0.2))
        pane = (number + 1) % 4 + 1  # never the one that is marked already
        # Marking a pane moves the mark to its title.
        marked = "►".encode() + _SGR + str(pane).encode() + rb" "
        seconds.append(probe.press(str(pane).encode(), marked))
    return Keys(seconds)


def _idle(root: Path, effort: Effort) -> list[Figure]:
    with minimal() as probe:
        probe.seconds_to(_READY)
        probe.rest(2.0)
        theirs = _press_minimal(probe, effort)
        their_cpu = _idle_cpu(probe, effort)
        their_memory = probe.resident_bytes()
    with console(root) as probe:
        probe.seconds_to(_SETTLED)
        probe.rest(3.0)
        ours = _press_console(probe, effort)
        # Ages that step and a clock that turns are changes; a stretch without any is looked for.
        silent = min(probe.rest(1.0) for _ in range(int(effort.rest_seconds)))
        our_cpu = _idle_cpu(probe, effort)
        our_memory = probe.resident_bytes()
    return [
        _key_figure("key to paint, idle, p95", ours.p95, theirs.p95, 2.0),
        Figure("bytes when nothing changes", silent, 0.0, " B/s", note="the most silent second of the rest"),
        Figure(
            "idle CPU beyond minimal",
            100 * (our_cpu - their_cpu),
            1.5,
            " points",
            note=f"{100 * our_cpu:.2f} % of a core against {100 * their_cpu:.2f} %",
        ),
        Figure(
            "resident memory, idle",
            our_memory / their_memory,
            1.35,
            "×",
            note=f"{our_memory / 1e6:.0f} MB against {their_memory / 1e6:.0f} MB",
        ),
        *_loaded(root, effort, theirs, their_memory),
    ]


def _idle_cpu(probe: Probe, effort: Effort) -> float:
    before, begun = probe.cpu_seconds(), time.perf_counter()
    probe.rest(effort.rest_seconds)
    return (probe.cpu_seconds() - before) / (time.perf_counter() - begun)


def _loaded(root: Path, effort: Effort, theirs: Keys, their_memory: int) -> list[Figure]:
    with console(root) as probe:
        probe.seconds_to(_SETTLED)
        with talking_run(root, FLOOD_EVENTS):
            probe.seconds_to(rb"chunk ", since=time.perf_counter())
            probe.rest(3.0)
            ours = _press_console(probe, effort)
            seconds = max(5.0, effort.rest_seconds / 2)
            before = probe.cpu_seconds()
            written = probe.rest(seconds) / seconds / 1024
            busy = (probe.cpu_seconds() - before) / seconds
            memory = probe.resident_bytes()
    return [
        _key_figure("key to paint, 10,000 events/s, p50", ours.p50, theirs.p50, 3.0),
        _key_figure("key to paint, 10,000 events/s, p95", ours.p95, theirs.p95, 10.0),
        Figure("the same p95 in milliseconds", ours.p95 * 1000, 100.0, " ms"),
        Figure("bytes at 10,000 events/s", written, 60.0, " KiB/s"),
        Figure("CPU at 10,000 events/s", 100 * busy, None, " %", note="of a core"),
        Figure("resident memory after that", memory / their_memory, None, "×"),
    ]


def _key_figure(what: str, ours: float, theirs: float, limit: float) -> Figure:
    return Figure(
        what, ours / theirs, limit, "×", note=f"{ours * 1000:.1f} ms against {theirs * 1000:.1f} ms"
    )


def _counter_bytes(root: Path, effort: Effort) -> list[Figure]:
    rate = 2.0
    with console(root) as probe:
        probe.seconds_to(_SETTLED)
        with talking_run(root, rate, "--counter"):
            probe.seconds_to(rb"100,000", since=time.perf_counter())
            probe.rest(2.0)
            # The smallest of several stretches: in the others an age stepped, too.
            stretches = [probe.rest(2.0) for _ in range(max(3, int(effort.rest_seconds / 2)))]
    changed = statistics.median(stretches) / (2.0 * rate)
    return [
        Figure("bytes per changed counter", changed, 200.0, " B", note="median over two-second stretches")
    ]


def _signals(root: Path, effort: Effort) -> list[Figure]:
    figures = []
    for number in (signal.SIGHUP, signal.SIGTERM):
        worst = 0.0
        for _ in range(effort.ends):
            with console(root) as probe:
                probe.seconds_to(_SETTLED)
                since = time.perf_counter()
                probe.signal(number)
                probe.wait()
                worst = max(worst, time.perf_counter() - since)
                if not probe.is_restored():
                    raise RuntimeError(f"{number.name} left the terminal as it was")
        figures.append(Figure(f"{number.name} to a restored terminal", worst, 1.0, " s", note="the worst"))
    return figures


def _engine_death(root: Path, effort: Effort) -> list[Figure]:
    worst = 0.0
    for _ in range(effort.ends):
        with console(root) as probe:
            probe.seconds_to(_SETTLED)
            with talking_run(root, 50.0) as run:
                probe.seconds_to(rb"chunk ", since=time.perf_counter())
                probe.rest(1.5)
                from_byte, since = len(probe.written), time.perf_counter()
                run.kill()
                worst = max(worst, probe.seconds_to(rb"lock free", since=since, from_byte=from_byte))
    return [
        Figure("engine's death to the screen", worst, 0.5, " s", note="another's run, SIGKILL; the worst")
    ]


def _alarm(root: Path, effort: Effort) -> list[Figure]:
    export = root / paths.SFT_EXPORT
    with export.open("rb") as file:
        row = orjson.loads(file.readline())
    forbidden = orjson.dumps({**row, "quality_score": "rejected"}) + b"\n"
    size, worst = export.stat().st_size, 0.0
    for _ in range(effort.ends):
        with console(root) as probe:
            probe.seconds_to(_ALL_READ)
            probe.rest(1.0)
            from_byte, since = len(probe.written), time.perf_counter()
            with export.open("ab") as file:
                file.write(forbidden)
            worst = max(worst, probe.seconds_to(rb"BREACH", since=since, from_byte=from_byte))
        os.truncate(export, size)
    note = f"appended to {size / 1e6:.1f} MB; the worst of {effort.ends}"
    return [Figure("forbidden row to the alarm on screen", worst, 1.0, " s", note=note)]


_FIGURES: tuple[tuple[str, Callable[[Path, Effort], list[Figure]]], ...] = (
    ("first paint", _first_paint),
    ("keys, idle and under 10,000 events a second", _idle),
    ("bytes per changed counter", _counter_bytes),
    ("signals", _signals),
    ("the engine's death", _engine_death),
    ("a forbidden row", _alarm),
)


def workspace(directory: Path) -> Path:
    """The demo, run to its end."""
    root = directory / "demo"
    demo = ["demo", "--batch", "--rows", "20000", "--dir", str(root)]
    subprocess.run([sys.executable, "-P", "-m", "console", *demo], check=True, capture_output=True)
    return root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()

    def say(text: str) -> None:
        print(f"measuring: {text}", file=sys.stderr, flush=True)  # noqa: T201

    with tempfile.TemporaryDirectory() as directory:
        table = measure(workspace(Path(directory)), QUICK if asked.quick else Effort(), say)
    print(as_text([table]))  # noqa: T201
    for figure in table.figures:
        print(f"{figure.what}: {figure.note}")  # noqa: T201
    print(table.explanation)  # noqa: T201


if __name__ == "__main__":
    main()
