"""The kept temp root of a red gate beside what the fixture expects, and beside the real data.

Read with the standard library alone: what the engine would say of it may be what is wrong.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_in, rows, text_of

PREFIX = "distillation_phase6_acceptance."
_NEVER = CATEGORIES[2:]
# Enough to tell whether real data have a kind of row at all.
_MOST_ROWS = 50_000
_NEAR = 0.05
# Where thresholds lie: the defaults, and those of the fixture.
_THRESHOLDS = (0.5, 0.9, 1.0)
_WALLS = ("never_list", "schema", "none")

Row = dict[str, Any]


@dataclass(frozen=True)
class Beside:
    """One line of the comparison. ``real`` is what the workspace's own data have of it."""

    what: str
    expected: str
    seen: str
    real: str

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def is_kept_root(root: Path) -> bool:
    """Whether a path from a report is what acceptance keeps: by its name, ours, private, no link."""
    try:
        status = root.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return private and root.name.startswith(PREFIX)


def beside(invariant: str, expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside] | None:
    """What differs for one invariant; None where it has no counts of its own to lay side by side."""
    look = _LOOKS.get(invariant)
    return look(expected, root, workspace) if look is not None else None


def _categories(expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    real = Counter(str(row.get("category")) for row in _below(workspace / paths.SCORED_RUNS))
    found = []
    for stream, wanted in expected.get("categories", {}).items():
        counted = Counter(_verdicts(root, stream).values())
        for category in CATEGORIES:
            if counted[category] != wanted[category]:
                here = f"{plural(real[category], 'run')} {category}"
                found.append(
                    Beside(f"{stream}: {category}", str(wanted[category]), str(counted[category]), here)
                )
    return found


def _probes(member: str, has: Callable[[Row], bool], what: str) -> Callable[..., list[Beside]]:
    """Single runs that are asked one by one; ``has`` tells a real run of the same kind."""

    def look(expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
        listed = expected.get(member, {})
        wanted = listed if isinstance(listed, dict) else dict.fromkeys(listed, "needs_human_review")
        verdicts = _verdicts(root, "probes")
        tasks = {
            str(row.get("task_id")): verdicts.get(str(row.get("run_id")), "not scored")
            for row in _rows(root / paths.evidence_file("probes"))
        }
        real = sum(has(row) for row in _below(workspace / paths.EVIDENCE))
        return [
            Beside(task, category, tasks.get(task, "not there"), f"{plural(real, 'run')} {what}")
            for task, category in wanted.items()
            if tasks.get(task) != category
        ]

    return look


def _hostile(expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    seen: dict[tuple[str, int], str] = {}
    for row in _below(root / paths.EVIDENCE):
        place = row.get("provenance") or {}
        seen[_kind_of(str(place.get("source_file"))), int(place.get("line") or 0)] = "mapped"
    for row in _rows(root / paths.DISTILLATION_SKIPS):
        seen[_kind_of(str(row.get("file"))), int(row.get("line") or 0)] = str(row.get("reason"))
    real = Counter(str(row.get("reason")) for row in _rows(workspace / paths.DISTILLATION_SKIPS))
    found = []
    for entry in expected.get("hostile", ()):
        key = (_kind_of(str(entry["file"])), int(entry["line"]))
        if seen.get(key) != entry["outcome"]:
            here = f"{plural(real[entry['outcome']], 'line')} {entry['outcome']}"
            what = f"{entry['file']}:{entry['line']}"
            found.append(Beside(what, str(entry["outcome"]), seen.get(key, "nothing"), here))
    return found


def _kind_of(file: str) -> str:
    """One of the hostile files is installed under a name that would steer a terminal."""
    name = Path(file).name
    return name if name == "hostile_lines.jsonl" or not name.startswith("hostile_") else "hostile_torn.jsonl"


def _repeats(expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    real = sum(row.get("reason") == "duplicate_line" for row in _rows(workspace / paths.DISTILLATION_SKIPS))
    wanted = str(expected.get("distinct_repeats"))
    places = {"in order": root, "dealt otherwise": root / "variants/shuffled"}
    return [
        Beside(f"different lines, {name}", wanted, seen, f"{real:,} repeated lines")
        for name, place in places.items()
        if (seen := str(sum(1 for _ in _rows(place / paths.evidence_file("repeats"))))) != wanted
    ]


def _pairs(expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    counted = Counter(str(row.get("stream")) for row in _rows(root / paths.PREFERENCE_EXPORT))
    real = sum(1 for _ in _rows(workspace / paths.PREFERENCE_EXPORT))
    return [
        Beside(f"{stream}: pairs", str(wanted), str(counted[stream]), plural(real, "pair"))
        for stream, wanted in expected.get("pairs", {}).items()
        if counted[stream] != wanted
    ]


def _walls(_expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    """Forbidden rows that got through each wall alone. Without any wall, some must."""
    found = []
    for wall in _WALLS:
        place = root / "variants" / f"wall-{wall}"
        leaks = _forbidden(place)
        if wall == "none":
            found.append(
                Beside("no wall at all: forbidden rows", "some", str(leaks), "no wall was ever down")
            )
        elif leaks:
            real = f"{plural(_forbidden(workspace), 'forbidden row')}, behind three walls"
            found.append(Beside(f"{wall} alone: forbidden rows", "0", str(leaks), real))
    return found


def _forbidden(place: Path) -> int:
    verdicts = {str(row.get("run_id")): row.get("category") for row in _below(place / paths.SCORED_RUNS)}
    rows = _rows(place / paths.SFT_EXPORT)
    return sum(verdicts.get(str(row.get("source_run_id"))) in _NEVER for row in rows)


def _run_hashes(_expected: Mapping[str, Any], root: Path, workspace: Path) -> list[Beside]:
    """The run_hash of every variant that is the same input as the base run."""
    wanted, real = _run_hash(root), _run_hash(workspace)
    found = []
    for place in sorted((root / "variants").glob("*")):
        if place.name.startswith(("factors", "straight", "crash", "again")):
            seen = _run_hash(place)
            if seen is not None and seen != wanted:
                found.append(Beside(place.name, str(wanted)[:16], seen[:16], f"one run, {str(real)[:16]}"))
    return found


def _run_hash(place: Path) -> str | None:
    names = sorted((place / paths.REPORTS).glob("*/summary.json"))
    return text_of(object_in(names[-1]), "run_hash") if names else None


def _verdicts(root: Path, stream: str) -> dict[str, str]:
    return {
        str(row.get("run_id")): str(row.get("category")) for row in _rows(root / paths.scored_file(stream))
    }


def _below(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*.jsonl")):
        yield from _rows(path)


def _rows(path: Path) -> Iterator[Row]:
    """The objects of a file, at most so many; what is no JSON is somebody else's finding."""
    try:
        with disk.open_to_read(path) as lines:
            yield from rows(islice(lines, _MOST_ROWS))
    except OSError:
        return


def _is_near_threshold(row: Row) -> bool:
    reward = row.get("reward")
    return isinstance(reward, float) and any(0 < abs(reward - at) <= _NEAR for at in _THRESHOLDS)


def _contradicts(row: Row) -> bool:
    return bool(row.get("success_markers") and row.get("failure_markers")) or (
        row.get("verdict") in ("pass", "fail") and row.get("reward") is not None
    )


_LOOKS: dict[str, Callable[[Mapping[str, Any], Path, Path], list[Beside]]] = {
    "A05": _hostile,
    "A07": _repeats,
    "A08": _run_hashes,
    "A09": _categories,
    "A10": _probes("thresholds", _is_near_threshold, f"within {_NEAR} of 0.5, 0.9 or 1.0, but not on it"),
    "A11": _probes("overrides", lambda row: row.get("human_override") is not None, "decided by a person"),
    "A12": _probes("contradictions", _contradicts, "with signals that may contradict each other"),
    "A13": _walls,
    "A15": _pairs,
    "A19": _run_hashes,
    "A20": _run_hashes,
}
