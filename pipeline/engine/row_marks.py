"""What is decided of single rows, by their place: one byte a row, for there are few different decisions."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, MutableMapping
from typing import TypeVar

V = TypeVar("V", bound=Hashable)
Place = tuple[int, int]
"""Chunk, and the row's ordinal in it."""
_CODES = ("B", "H", "I")


class RowMarks(MutableMapping[Place, V]):
    """A mapping for many places with few values. A chunk takes a byte for each row up to its last one with a
    value, two or four where the values are more than a byte can name."""

    def __init__(self) -> None:
        self._values: list[V | None] = [None]
        self._numbers: dict[V, int] = {}
        self._of_chunk: dict[int, array[int]] = {}

    def __setitem__(self, place: Place, value: V) -> None:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self._values)
            self._values.append(value)
        self._put(place, number)

    def _put(self, place: Place, number: int) -> None:
        chunk, row = place
        marks = self._of_chunk.get(chunk)
        if marks is None:
            marks = self._of_chunk[chunk] = array("B")
        if row >= len(marks):
            marks.frombytes(bytes((row + 1 - len(marks)) * marks.itemsize))
        try:
            marks[row] = number
        except OverflowError:
            wider = _CODES[_CODES.index(marks.typecode) + 1]
            self._of_chunk[chunk] = array(wider, marks)
            self._put(place, number)

    def __getitem__(self, place: Place) -> V:
        number = self._number_of(place)
        value = self._values[number]
        if value is None:
            raise KeyError(place)
        return value

    def at(self, place: Place) -> V | None:
        """What is said of a row, None of most: ``get``, at a third of its time."""
        return self._values[self._number_of(place)]

    def _number_of(self, place: Place) -> int:
        marks = self._of_chunk.get(place[0])
        return 0 if marks is None or place[1] >= len(marks) else marks[place[1]]

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and self._number_of(place) > 0

    def __delitem__(self, place: Place) -> None:
        if place not in self:
            raise KeyError(place)
        self._put(place, 0)

    def __iter__(self) -> Iterator[Place]:
        for chunk, marks in self._of_chunk.items():
            for row, number in enumerate(marks):
                if number:
                    yield chunk, row

    def __len__(self) -> int:
        return sum(len(marks) - marks.count(0) for marks in self._of_chunk.values())

    def __bool__(self) -> bool:
        return bool(self._of_chunk)

    def of_chunk(self, chunk: int, rows: int) -> list[V | None]:
        """What is said of each of the first ``rows`` rows of a chunk, None of most."""
        marks = self._of_chunk.get(chunk)
        if marks is None:
            return [None] * rows
        values = self._values
        said = [values[number] for number in marks[:rows]]
        return said + [None] * (rows - len(said))
