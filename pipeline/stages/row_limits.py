"""Which rows of an export stay out because others are better, longer, or enough. No text is held here.

In this order, each among the rows that the one before left:

1. of rows of one trace (stream and task) the longest conversation stays (``prefix_of``): the one that
   holds all that the other teaches;
2. of rows that say nearly the same the best one stays, where the settings ask for it (``near_duplicate``);
3. of one task the best rows stay, so many as ``max_per_task`` says (``task_cap``; for playbooks, of
   which one is enough unless more are asked for, ``better_playbook``);
4. of a stream so many as ``stream_caps`` says (``stream_cap``);
5. of all so many as ``max_rows`` says (``row_cap``).

Best is the better category, then an answer that came to its end, then the higher score; within a task
then fewer turns and the smaller run id; in the caps of streams and rows then a hash of the run id, so
that equals are a fair sample and not the beginning of a file. The order in which rows come does not
matter. Rows come several times, once a step, so that memory holds the rows that a cap keeps, and of steps
within a task the rows of some tasks: whoever has many rows gives them in groups that hold whole tasks.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import partial
from hashlib import sha256
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.text_keys import ASSISTANT_TURN, TURN_KEY_BYTES, WEIGHT_OF_ONE

if TYPE_CHECKING:
    # Not at run time: P2 alone must not need an exporter.
    from pipeline.stages.export_options import TaskLimits

Place = tuple[int, int]
"""Chunk, and the row's ordinal in it."""
Standing = tuple[int, bool, float, int, str]
"""Where a row stands among others, the better one first."""
Rows = Callable[[], Iterable["LimitedRow"]]
ByTask = Callable[[Iterable["LimitedRow"]], Iterable[list["LimitedRow"]]]
"""Divides rows, so that those of one task are together. Their streams and bands need not be kept."""
Drops = Callable[[Iterable["LimitedRow"]], Mapping[Place, str]]
"""Takes the rows that are left; gives those that others make needless, each with its packed refusal."""
BAND_BYTES = 8


class LimitedRow(NamedTuple):
    """One row that nothing has refused so far. ``rank`` is that of its category, higher is better."""

    place: Place
    stream: str
    run_id: str
    task_key: bytes
    rank: int
    score: float
    turns: int
    turn_keys: bytes
    weights: bytes = b""
    """What each turn of the conversation counts in training (``text_keys.weights_of``)."""
    bands: bytes = b""
    """Keys of ``BAND_BYTES``: rows that may be near-duplicates share one. Empty for a row that has none."""
    is_cut_off: bool = False
    """The answer has no end, or its harness failed."""


def all_together(rows: Iterable[LimitedRow]) -> list[list[LimitedRow]]:
    return [list(rows)]


def rows_to_hold(
    rows: Rows,
    limits: TaskLimits,
    *,
    of_tasks: QuarantineReason,
    near_duplicates: Drops | None = None,
    conversations: Rows | None = None,
    by_task: ByTask = all_together,
    held: MutableMapping[Place, str] | None = None,
) -> MutableMapping[Place, str]:
    """The rows that stay out, each with its refusal, in ``held``. ``rows`` gives all rows anew each time.

    ``conversations`` gives those of them that have turns, where that is cheaper than all.
    """
    held = {} if held is None else held

    def left(stream: str | None = None) -> Iterator[LimitedRow]:
        return (row for row in rows() if row.place not in held and stream in (None, row.stream))

    def hold(places: Iterable[Place], reason: QuarantineReason) -> None:
        for place in places:
            held[place] = reason

    for group in by_task(row for row in (conversations or rows)() if row.turn_keys):
        hold(_beginnings(group), QuarantineReason.PREFIX_OF)
    if near_duplicates is not None:
        held.update(near_duplicates(left()))
    if limits.max_per_task is not None:
        for group in by_task(left()):
            hold(_beyond_of_tasks(group, limits.max_per_task), of_tasks)
    for stream, most in sorted(limits.stream_caps.items()):
        hold(_beyond(partial(left, stream), most), QuarantineReason.STREAM_CAP)
    if limits.max_rows is not None:
        hold(_beyond(left, limits.max_rows), QuarantineReason.ROW_CAP)
    return held


def best_first(row: LimitedRow) -> Standing:
    """Where a row stands among those of which the better one stays."""
    return (-row.rank, row.is_cut_off, -row.score, row.turns, row.run_id)


def _best_of_all(row: LimitedRow) -> Standing:
    return (-row.rank, row.is_cut_off, -row.score, 0, fair_order(row.run_id))


def fair_order(*run_ids: str) -> str:
    """A place in an order that no log has chosen."""
    return sha256("\0".join(run_ids).encode("utf-8", "surrogatepass")).hexdigest()


def _beyond_of_tasks(rows: Iterable[LimitedRow], most: int) -> list[Place]:
    """The places of all but the ``most`` best rows of each task."""
    best: dict[bytes, list[tuple[Standing, Place]]] = {}
    beyond: list[Place] = []
    for row in rows:
        kept = best.setdefault(row.task_key, [])
        insort(kept, (best_first(row), row.place))
        if len(kept) > most:
            beyond.append(kept.pop()[1])
    return beyond


def _beyond(rows: Rows, most: int) -> Iterator[Place]:
    """The places of all but the ``most`` best rows."""
    best = {place for _, place in nsmallest(most, ((_best_of_all(row), row.place) for row in rows()))}
    return (row.place for row in rows() if row.place not in best)


def _beginnings(rows: Sequence[LimitedRow]) -> list[Place]:
    """The conversations that are the beginning of a longer one of their task."""
    wholes = {_whole(row) for row in rows}
    if len(wholes) < 2:
        return []
    begun = {digest for row in rows for digest in _prefixes(row) if digest in wholes}
    return [row.place for row in rows if _whole(row) in begun] if begun else []


def _whole(row: LimitedRow) -> bytes:
    *_, (_, digest) = _digests(row, len(row.turn_keys))
    return digest


def _prefixes(row: LimitedRow) -> Iterator[bytes]:
    """Digests of what goes before the last turn, up to each answer: a row ends on one."""
    for start, digest in _digests(row, len(row.turn_keys) - TURN_KEY_BYTES):
        if row.turn_keys[start] == ASSISTANT_TURN:
            yield digest


def _digests(row: LimitedRow, end: int) -> Iterator[tuple[int, bytes]]:
    """Of the task and all turns up to each: where its key starts, and 8 bytes.

    A turn that counts less than the other row's teaches something else, whatever it says.
    """
    hasher = sha256(row.task_key)
    for start in range(0, end, TURN_KEY_BYTES):
        turn = slice(start, start + TURN_KEY_BYTES)
        hasher.update(row.turn_keys[turn])
        hasher.update(row.weights[turn] or WEIGHT_OF_ONE)
        yield start, hasher.copy().digest()[:8]
