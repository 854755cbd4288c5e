"""Rows of a training file that a kept look called clean, so that they need not be judged again.

A row is told by all its bytes but its stamp. It stays clean as long as nothing was said of its run
since, and no rejected run has answered since what may be the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

ROW_KEY_BYTES = 16
_STAMP = b',"recorded_at":"'
_STAMP_END = b'"}'
_OF_A_STAMP = b"0123456789TZ:.-+"


def row_key(line: bytes) -> bytes:
    """Names a row, whose line is given without its end, by its bytes; by all of them but a plain stamp."""
    at = line.rfind(_STAMP)
    if at >= 0 and line[at + len(_STAMP) :].translate(None, _OF_A_STAMP) == _STAMP_END:
        line = line[:at]
    return sha256(line).digest()[:ROW_KEY_BYTES]


class KnownRows:
    """``keys`` are those of clean rows, with the number of the run and the tail sketch of the answer of each.

    A row is not known when its run is among those ``touched``, or the tail among ``new_tails``.
    """

    def __init__(
        self,
        keys: bytes = b"",
        runs: bytes = b"",
        tails: bytes = b"",
        *,
        run_ids: Sequence[str] = (),
        touched: Collection[str] = (),
        new_tails: Collection[int] = (),
    ) -> None:
        self._known: dict[bytes, tuple[str, int]] = {}
        for at, run, tail in zip(
            range(0, len(keys), ROW_KEY_BYTES), array("I", runs), array("I", tails), strict=True
        ):
            run_id = run_ids[run]
            if tail not in new_tails and run_id not in touched:
                self._known[keys[at : at + ROW_KEY_BYTES]] = (run_id, tail)
        self._clean: dict[bytes, tuple[str, int]] = {}

    def unknown(self, keys: Sequence[bytes]) -> list[int]:
        """Positions of the rows that are to be judged."""
        known, clean = self._known, self._clean
        found = []
        for at, key in enumerate(keys):
            row = known.get(key)
            if row is None:
                found.append(at)
            else:
                clean[key] = row
        return found

    def add(self, key: bytes, run_id: str, tail: int) -> None:
        """A row was judged clean."""
        self._clean[key] = (run_id, tail)

    def clean(self, numbers: Mapping[str, int]) -> tuple[bytes, bytes, bytes]:
        """All clean rows that were seen, as they are given anew; ``numbers`` are those of the runs."""
        rows = [(key, numbers[run], tail) for key, (run, tail) in self._clean.items() if run in numbers]
        return (
            b"".join([key for key, _, _ in rows]),
            array("I", [number for _, number, _ in rows]).tobytes(),
            array("I", [tail for _, _, tail in rows]).tobytes(),
        )
