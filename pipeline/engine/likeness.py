"""What near-duplicates are told by: the five-word windows of what the model said and called.

Two answers are alike when they share four fifths of their windows or more (Jaccard 0.8), and two pairs
when both their sides do. Which ones to compare at all, MinHash says: 260 hashes of each answer, in 20
bands of 13; those that share a band are compared window by window. The library is imported where the
settings ask for it, and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.evaluation.tokens import tokens
from pipeline.settings.model import ExportSettings
from pipeline.stages.near_duplicates import Said
from pipeline.stages.row_limits import BAND_BYTES
from pipeline.stages.sample import Sample

WINDOW_WORDS = 5
BANDS = 20
HASHES_A_BAND = 13
# As 32-bit numbers; named, because the library's choice has changed once.
_SCHEME = "affine32"
_SEED = 1


@dataclass(frozen=True)
class Likeness:
    """``version`` is the library's: a cached chunk of another one is not used.

    ``bands`` takes what one row says and gives 20 keys of 8 bytes; b"" where a part has no windows.
    """

    version: str
    bands: Callable[[Said], bytes]


def said_in(sample: Sample) -> Said:
    """What the assistant said and called in a run; no windows of fewer than five words."""
    if sample.messages is None:
        return (_windows(tokens(sample.response, "words")),)
    return (_windows_of_turns(sample.messages),)


def said_in_pair(row: dict[str, Any]) -> Said:
    """What the assistant said and called in either side of a preference row."""
    sides = []
    for side in ("chosen", "rejected"):
        turns = [
            {**turn, "tool_calls": orjson.loads(turn["tool_calls"]) if turn["tool_calls"] else ()}
            for turn in row[side]
        ]
        sides.append(_windows_of_turns(turns))
    return tuple(sides)


def _windows_of_turns(turns: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The assistant's turns, one behind the other.

    Words lose case and punctuation; calls are compared by the tokens of name and arguments.
    """
    said: list[str] = []
    for turn in turns:
        if turn["role"] == "assistant":
            said += tokens(turn["content"] or "", "words")
            for call in turn["tool_calls"] or ():
                said += (*tokens(call["name"], "code"), *tokens(call["arguments"], "code"))
    return _windows(said)


def _windows(said: list[str]) -> frozenset[str]:
    starts = range(len(said) - WINDOW_WORDS + 1)
    return frozenset(" ".join(said[start : start + WINDOW_WORDS]) for start in starts)


def load_likeness(options: ExportSettings) -> Likeness | None:
    """None where near-duplicates are not looked for. Raises SettingsError without the library."""
    asking = [
        export for export in paths.NEAR_DUPLICATE_REPORTS if options.near_duplicates_of(export) != "off"
    ]
    if not asking:
        return None
    try:
        import datasketch
    except ImportError:
        raise SettingsError.of(
            code="near_duplicates_unusable",
            what_happened=f"{paths.SETTINGS}: [export.{asking[0]}] near_duplicates: "
            "the library datasketch is not installed.",
            kept_safe="Nothing was changed.",
            do_next="pip install 'distill-console[near-duplicates]', or leave the setting out.",
            file=str(paths.SETTINGS),
            value=options.near_duplicates_of(asking[0]),
        ) from None
    empty = datasketch.MinHash(num_perm=BANDS * HASHES_A_BAND, seed=_SEED, scheme=_SCHEME)

    def bands(said: Said) -> bytes:
        if not all(said):
            return b""
        signature = empty.copy()
        for part, windows in enumerate(said):
            # The same words on the other side of a pair are other windows; of a row there is one part.
            mark = "\0" * part
            signature.update_batch([(mark + window).encode("utf-8", "surrogatepass") for window in windows])
        hashes = signature.hashvalues.astype("<u4").reshape(BANDS, HASHES_A_BAND)
        return b"".join(hashlib.blake2b(band.tobytes(), digest_size=BAND_BYTES).digest() for band in hashes)

    return Likeness(datasketch.__version__, bands)
