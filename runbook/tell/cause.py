"""PURE: what was seen and why, as blocks. It is told from data, as journals keep it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.platform.lenient_json import Json, number_of, object_of, objects_of, text_of, texts_of
from pipeline.reading.durations import age_in_words
from runbook.tell.blocks import GAP, Block, Conclusion, Fact, Finding

PLACES = 6
QUOTED = 12


def diagnosis_blocks(diagnosis: Json, *, places: int = PLACES, quoted: int = QUOTED) -> list[Block]:
    """The cause with its evidence, then what was looked at and set aside, then where to go on."""
    blocks = _cause(object_of(diagnosis, "cause"), places, quoted)
    for each in objects_of(diagnosis, "considered"):
        blocks += [GAP, *_cause(each, places, quoted, is_cause=False)]
    if see := text_of(diagnosis, "see"):
        blocks.append(Fact("go on", f"with the wizard of {see}"))
    return blocks


def _cause(cause: Json, places: int, quoted: int, *, is_cause: bool = True) -> list[Block]:
    sentence, confidence = text_of(cause, "sentence") or "?", text_of(cause, "confidence") or "unknown"
    named = texts_of(cause, "places")
    return [
        Conclusion(sentence, confidence, is_cause),
        *(Fact("" if at else "where", place, literal=True) for at, place in enumerate(named[:places])),
        *([Fact("", f"+{len(named) - places} more", "dim")] if len(named) > places else []),
        *finding_blocks(objects_of(cause, "evidence"), quoted),
    ]


def detection_blocks(detection: Json, now: float | None, *, quoted: int = QUOTED) -> list[Block]:
    """What the detector said, and how old that was at ``now``."""
    source, as_of = text_of(detection, "source") or "?", number_of(detection, "as_of")
    age = "age not known" if as_of is None or now is None else f"{age_in_words(now - as_of)} old then"
    blocks: list[Block] = [
        Fact("seen", text_of(detection, "observed") or "?", "strong"),
        Fact("from", source if source == "live" else f"{source}, {age}"),
        *finding_blocks(objects_of(detection, "evidence"), quoted),
    ]
    if again := text_of(detection, "reproduce"):
        blocks.append(Fact("again", again, "accent", literal=True))
    return blocks


def finding_blocks(evidence: Sequence[Json], quoted: int) -> list[Block]:
    return [_finding(each, quoted) for each in evidence]


def _finding(evidence: Json, quoted: int) -> Finding:
    lines = texts_of(evidence, "lines")
    return Finding(
        text_of(evidence, "stance") or "?",
        text_of(evidence, "says") or "?",
        text_of(evidence, "source") or "",
        number_of(evidence, "read_at"),
        lines[:quoted],
        max(0, len(lines) - quoted),
    )
