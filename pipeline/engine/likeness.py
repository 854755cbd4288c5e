"""What near-duplicates are told by: the five-word windows of what the model said and called.

Two answers are alike when they share four fifths of their windows or more (Jaccard 0.8). Which pairs
to compare at all, MinHash says: 260 hashes of each answer, in 20 bands of 13; those that share a band
are compared window by window. The library is imported where the settings ask for it, and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, SettingsError
from pipeline.evaluation.tokens import tokens
from pipeline.settings.model import Settings
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

    ``bands`` takes the windows of one answer and gives 20 keys of 8 bytes; b"" for no windows.
    """

    version: str
    bands: Callable[[frozenset[str]], bytes]


def windows_of(sample: Sample) -> frozenset[str]:
    """The windows of the assistant's turns, one behind the other; none of fewer than five words.

    Words lose case and punctuation; calls are compared by the tokens of name and arguments.
    """
    said: list[str] = []
    if sample.messages is None:
        said = tokens(sample.response, "words")
    else:
        for turn in sample.messages:
            if turn["role"] == "assistant":
                said += tokens(turn["content"] or "", "words")
                for call in turn["tool_calls"] or ():
                    said += (*tokens(call["name"], "code"), *tokens(call["arguments"], "code"))
    starts = range(len(said) - WINDOW_WORDS + 1)
    return frozenset(" ".join(said[start : start + WINDOW_WORDS]) for start in starts)


def load_likeness(settings: Settings) -> Likeness | None:
    """None where near-duplicates are not looked for. Raises SettingsError without the library."""
    if settings.export.sft.near_duplicates == "off":
        return None
    try:
        import datasketch
    except ImportError:
        raise SettingsError(
            Fault(
                code="near_duplicates_unusable",
                what_happened=f"{paths.SETTINGS}: [export.sft] near_duplicates: "
                "the library datasketch is not installed.",
                kept_safe="Nothing was changed.",
                do_next="pip install 'distill-console[near-duplicates]', or leave the setting out.",
                file=str(paths.SETTINGS),
                value=settings.export.sft.near_duplicates,
            )
        ) from None
    empty = datasketch.MinHash(num_perm=BANDS * HASHES_A_BAND, seed=_SEED, scheme=_SCHEME)

    def bands(windows: frozenset[str]) -> bytes:
        if not windows:
            return b""
        signature = empty.copy()
        signature.update_batch([window.encode("utf-8", "surrogatepass") for window in windows])
        hashes = signature.hashvalues.astype("<u4").reshape(BANDS, HASHES_A_BAND)
        return b"".join(hashlib.blake2b(band.tobytes(), digest_size=BAND_BYTES).digest() for band in hashes)

    return Likeness(datasketch.__version__, bands)
