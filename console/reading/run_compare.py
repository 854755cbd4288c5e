"""One past run with its receipts, and two of them compared: hashes, counts, first differences.

The comparison is pure. Files are compared by the digest of their rows where both receipts have
one: it leaves out the time stamp that every run writes anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.platform.lenient_json import Json, count_of, object_of, objects_of, text_of
from pipeline.reading.past_runs import Receipt, RunReports, read_receipts
from pipeline.reading.report_files import Notes


@dataclass(frozen=True, slots=True)
class RunDetails:
    """``summary`` is None for a run that left none; ``faults`` are what is wrong with its papers."""

    run_id: str
    summary: Json | None
    receipts: tuple[Receipt, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The first file of a stage's inputs or outputs on which two runs differ, and how."""

    path: str
    what: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class StageComparison:
    """``files`` counts those compared. A difference of None means that all are the same."""

    stage: str
    files: int
    inputs: Difference | None
    outputs: Difference | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of what the first and the second run have, by name."""

    hashes: tuple[tuple[str, str, str], ...]
    counts: tuple[tuple[str, int | None, int | None], ...]
    stages: tuple[StageComparison, ...]


def read_run(root: Path, run_id: str) -> RunDetails:
    """The run's summary and the receipts that it names. Blocks for some milliseconds."""
    notes = Notes()
    summary = RunReports(root).summary(run_id, notes)
    if summary is None:
        return RunDetails(run_id, None, faults=tuple(notes.lines) or ("it ended before its commit",))
    receipts, faults = read_receipts(root, summary, notes)
    return RunDetails(run_id, summary, tuple(receipts), (*faults, *notes.lines))


def compare(first: RunDetails, second: RunDetails) -> Comparison:
    """What differs between two runs, in the order of the first one's papers."""
    one, two = first.summary or {}, second.summary or {}
    hashes: dict[str, tuple[str | None, str | None]] = {
        "run_hash": (text_of(one, "run_hash"), text_of(two, "run_hash")),
        "settings": (text_of(one, "settings_digest"), text_of(two, "settings_digest")),
    }
    for part, key in (("engine", "version"), ("engine", "digest"), ("engine", "source"), ("git", "head")):
        hashes[f"{part} {key}"] = (text_of(object_of(one, part), key), text_of(object_of(two, part), key))
    counts_one, counts_two = object_of(one, "counts"), object_of(two, "counts")
    names = dict.fromkeys((*counts_one, *counts_two))
    stages = dict.fromkeys(receipt.stage for receipt in (*first.receipts, *second.receipts))
    return Comparison(
        tuple((name, a or "-", b or "-") for name, (a, b) in hashes.items()),
        tuple((name, count_of(counts_one, name), count_of(counts_two, name)) for name in names),
        tuple(_stage(stage, first, second) for stage in stages),
    )


def _stage(stage: str, first: RunDetails, second: RunDetails) -> StageComparison:
    bodies = [
        next((receipt.body for receipt in run.receipts if receipt.stage == stage), None)
        for run in (first, second)
    ]
    one, two = bodies
    if one is None or two is None:
        return StageComparison(
            stage, 0, None, None, "only the second has it" if one is None else "only the first has it"
        )
    files = sum(len(objects_of(one, side)) for side in ("inputs", "outputs"))
    return StageComparison(stage, files, _first(one, two, "inputs"), _first(one, two, "outputs"))


def _first(one: Json, two: Json, side: str) -> Difference | None:
    claims = [
        {text_of(claim, "path") or "?": claim for claim in objects_of(body, side)} for body in (one, two)
    ]
    for path in dict.fromkeys((*claims[0], *claims[1])):
        a, b = claims[0].get(path), claims[1].get(path)
        if a is None or b is None:
            return Difference(path, (("there", "no" if a is None else "yes", "no" if b is None else "yes"),))
        if what := _differing(a, b):
            return Difference(path, what)
    return None


def _differing(a: Json, b: Json) -> tuple[tuple[str, str, str], ...]:
    key = "rows_digest" if text_of(a, "rows_digest") and text_of(b, "rows_digest") else "sha256"
    if text_of(a, key) == text_of(b, key):
        return ()
    numbers = tuple(
        (name, f"{count_of(a, name) or 0:,}", f"{count_of(b, name) or 0:,}")
        for name in ("rows", "bytes")
        if count_of(a, name) != count_of(b, name)
    )
    return (*numbers, (key, (text_of(a, key) or "-")[:12], (text_of(b, key) or "-")[:12]))
