"""Which of rows that say nearly the same stays: on both sides of the boundary, and in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from pipeline.stages.near_duplicates import find_near_duplicates
from pipeline.stages.row_limits import BAND_BYTES, LimitedRow, Place

BAND = b"x" * BAND_BYTES
Said = Mapping[str, frozenset[str]]


def words(first: int, last: int) -> frozenset[str]:
    return frozenset(f"w{number}" for number in range(first, last))


def row(name: str, *, score: float = 1.0, turns: int = 1, rank: int = 2, bands: bytes = BAND) -> LimitedRow:
    return LimitedRow(place_of(name), "s", name, b"t", rank, score, turns, b"", b"", bands)


def place_of(name: str) -> Place:
    return (0, int.from_bytes(name.encode(), "big"))


def kept_by(rows: Sequence[LimitedRow], said: Said) -> dict[str, str]:
    """Each near-duplicate and the run that stays for it."""
    at = {place_of(name): windows for name, windows in said.items()}
    found = find_near_duplicates(rows, lambda _: lambda place: (at[place],))
    return {alike.run_id: alike.kept_run_id for alike in found.alike}


@pytest.mark.parametrize(
    ("shared", "either", "is_alike"), [(4, 5, True), (80, 100, True), (79, 100, False), (100, 100, True)]
)
def test_four_windows_of_five_are_alike_and_less_is_not(shared: int, either: int, is_alike: bool) -> None:
    said = {"a": words(0, either), "b": words(0, shared)}
    assert kept_by([row("a"), row("b")], said) == ({"b": "a"} if is_alike else {})


def test_the_similarity_is_the_share_of_all_windows() -> None:
    at = {place_of("a"): words(0, 9), place_of("b"): words(1, 10)}
    found = find_near_duplicates([row("a"), row("b")], lambda _: lambda place: (at[place],))
    assert [alike.similarity for alike in found.alike] == [8 / 10]


@pytest.mark.parametrize(
    ("best", "other"),
    [
        (row("z", rank=2, score=0.9), row("a", rank=1, score=1.0)),
        (row("z", score=0.9, turns=9), row("a", score=0.8)),
        (row("z", turns=2), row("a", turns=3)),
        (row("a"), row("z")),
    ],
    ids=["category", "score", "turns", "run id"],
)
def test_the_best_stays(best: LimitedRow, other: LimitedRow) -> None:
    said = {"a": words(0, 9), "z": words(0, 9)}
    for rows in ([best, other], [other, best]):
        assert kept_by(rows, said) == {other.run_id: best.run_id}


def test_a_row_goes_only_for_one_that_stays_and_that_it_is_alike() -> None:
    # Each is alike its neighbour; the first and the third are not alike.
    said = {"a": words(0, 100), "b": words(10, 110), "c": words(20, 120)}
    rows = [row(name) for name in said]
    assert kept_by(rows, said) == {"b": "a"}
    # Where the one in the middle is the best, both others go for it.
    assert kept_by([row("a"), row("b", score=2.0), row("c")], said) == {"a": "b", "c": "b"}


def test_rows_without_a_common_band_are_not_compared() -> None:
    said = {"a": words(0, 9), "b": words(0, 9)}
    other = b"y" * BAND_BYTES
    assert kept_by([row("a"), row("b", bands=other)], said) == {}
    # The same key in another band is another band.
    assert kept_by([row("a", bands=BAND + other), row("b", bands=other + BAND)], said) == {}
    assert kept_by([row("a", bands=BAND + other), row("b", bands=other + other)], said) == {"b": "a"}


def test_rows_without_windows_are_counted_and_stay() -> None:
    found = find_near_duplicates(
        [row("a", bands=b""), row("b", bands=b""), row("c")], lambda _: lambda _: (words(0, 9),)
    )
    assert (found.compared, found.too_short, found.alike) == (1, 2, [])


def test_the_order_of_the_rows_decides_nothing() -> None:
    chance = random.Random(7)  # noqa: S311 - not for secrets
    said = {f"{number:02}": words(start := chance.randrange(60), start + 30) for number in range(60)}
    rows = [row(name, score=chance.choice((0.5, 1.0)), turns=chance.randrange(3)) for name in said]
    expected = kept_by(rows, said)
    assert len(expected) > 10
    for _ in range(20):
        chance.shuffle(rows)
        assert kept_by(rows, said) == expected


def test_of_a_pair_both_sides_have_to_be_alike() -> None:
    long, short = words(0, 1000), frozenset({"a", "b", "c", "d", "e"})
    said = {"a": (long, short), "b": (long, short | {"f"}), "c": (long, words(2000, 2005))}
    at = {place_of(name): sides for name, sides in said.items()}
    found = find_near_duplicates([row(name) for name in said], lambda _: at.__getitem__)
    assert [(alike.run_id, alike.kept_run_id, alike.similarity) for alike in found.alike] == [
        ("b", "a", 5 / 6)
    ]
