"""Which pairs stay out because others are wider or enough, once all pairs are known.

In this order, each among the pairs that the one before left: those that say nearly what a wider pair
says, where the settings ask for it (``near_duplicate``); of a stream those beyond ``stream_caps``
(``stream_cap``); of all those beyond ``max_rows`` (``row_cap``). The order is that of rows
(``stages.row_limits``), but for the caps of a task, which are part of choosing pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from heapq import nsmallest
from typing import Any

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import Candidate, place_of, unpacked
from pipeline.engine.likeness import Likeness, said_in_pair
from pipeline.engine.pairs import Pair, Pairs
from pipeline.engine.row_marks import RowMarks
from pipeline.settings.model import PreferenceSettings
from pipeline.stages.near_duplicates import Said
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_limits import Drops, LimitedRow, Place, fair_order
from pipeline.stages.scoring_rules import RANK

MakeRow = Callable[[Pair], dict[str, Any] | Refusal]
_NOTHING: Said = (frozenset(), frozenset())


def pairs_to_hold(
    pairs: Pairs,
    streams: Mapping[int, str],
    limits: PreferenceSettings,
    near_duplicates: Mapping[Place, str] | None = None,
) -> RowMarks[str]:
    """The pairs that stay out, by the place of the chosen run, each with its packed refusal.

    ``streams`` has the stream of each chunk; ``near_duplicates`` the refusals, also by place.
    """
    held: RowMarks[str] = RowMarks()
    held.update(near_duplicates or {})

    def left(stream: str | None) -> Iterator[tuple[Place, Pair]]:
        for pair in pairs:
            place = place_of(pair[0])
            if place not in held and stream in (None, streams[place[0]]):
                yield place, pair

    def hold_beyond(most: int, reason: QuarantineReason, stream: str | None = None) -> None:
        in_line = (
            (fair_order(*(run.run_id for run in runs_of(pair))), place) for place, pair in left(stream)
        )
        first = {place for _, place in nsmallest(most, in_line)}
        for place, _ in left(stream):
            if place not in first:
                held[place] = str(reason)

    for stream, most in sorted(limits.stream_caps.items()):
        hold_beyond(most, QuarantineReason.STREAM_CAP, stream)
    if limits.max_rows is not None:
        hold_beyond(limits.max_rows, QuarantineReason.ROW_CAP)
    return held


def _in_line(placed: tuple[Place, Pair]) -> tuple[str, Place]:
    place, pair = placed
    return fair_order(*(run.run_id for run in runs_of(pair))), place


def alike_pairs(
    pairs: Pairs, streams: Mapping[int, str], make_row: MakeRow, likeness: Likeness, drops: Drops
) -> Mapping[Place, str]:
    """What ``drops`` says of the pairs that can be written, by the place of the chosen run."""

    def limited() -> Iterator[LimitedRow]:
        for pair in pairs:
            row = make_row(pair)
            if isinstance(row, Refusal):
                continue
            chosen, rejected = runs_of(pair)
            yield LimitedRow(
                chosen.place,
                streams[chosen.chunk],
                chosen.run_id,
                b"",
                # The widest first: the pair that says most clearly what is better.
                RANK[CATEGORIES[chosen.category]] - RANK[CATEGORIES[rejected.category]],
                chosen.score - rejected.score,
                row["turns"],
                b"",
                bands=likeness.bands(said_in_pair(row)),
            )

    return drops(limited())


def said_by_place(pairs: Pairs, make_row: MakeRow) -> Callable[[frozenset[Place]], Callable[[Place], Said]]:
    """Makes pairs again, for the few that may be alike."""

    def said_at(places: frozenset[Place]) -> Callable[[Place], Said]:
        at = {place: pair for pair in pairs if (place := place_of(pair[0])) in places}

        def said(place: Place) -> Said:
            row = make_row(at[place])
            return _NOTHING if isinstance(row, Refusal) else said_in_pair(row)

        return said

    return said_at


def runs_of(pair: Pair) -> tuple[Candidate, Candidate]:
    """Chosen and rejected run of a pair."""
    (chosen, _), (rejected, _) = unpacked(b"".join(pair))
    return chosen, rejected
