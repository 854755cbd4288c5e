"""What a run says of the sources that it could not use, or not wholly: one warning a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.contracts.plurals import plural, with_verb
from pipeline.contracts.skips import SkipReason
from pipeline.contracts.untrusted import visible
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import SourceState
from pipeline.engine.source_plan import PlannedSource, state_key
from pipeline.engine.source_troubles import SourceTroubles
from pipeline.streams.looks import looks_like

SOURCE_WARNING = "source: "
_NAMED = 20
_NAMED_DOCUMENTS = 3


def warn_of_sources(
    session: Session,
    troubles: SourceTroubles,
    sources: Iterable[PlannedSource],
    before: Mapping[str, SourceState],
) -> None:
    """Name each file that was not read, was read in part, gave nothing that could be used, or lost bytes.

    ``before`` is what the last run read. A JSON document among files of JSON Lines is named as well when a
    run reads it: was it meant?
    """
    refused = troubles.refused.items()
    sources = list(sources)
    said = [f"{stream}: {visible(name)} is not read: {why}" for (stream, name), why in refused]
    said += _documents_among_lines(sources)
    for source in sources:
        shown = f"{source.stream}: {visible(source.file.relative)}"
        known = before.get(state_key(source.stream, source.file.relative))
        if known is not None and source.size < known.bytes:
            then = f"{source.size:,} bytes, {known.bytes:,} in the last run"
            said.append(f"{shown} became shorter: {then}; rows of what it lost are gone")
        if source.damage:
            how_far = "is used in part" if source.used else "is not used"
            said.append(f"{shown} {how_far}: {source.damage}")
        elif source.rows and not source.used and not _is_meant(source.skips):
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in source.skips.most_common(2))
            looks = looks_like(source.file.path).words
            said.append(
                f"{shown}: none of its {plural(source.rows, 'line')} could be used ({reasons})"
                + (f"; it looks like {looks}" if looks else "")
            )
    for words in said[:_NAMED]:
        session.warn(f"{SOURCE_WARNING}{words}")
    if len(said) > _NAMED:
        more = with_verb(len(said) - _NAMED, "more file", "is/are", "not used, or in part")
        session.warn(f"{SOURCE_WARNING}{more}: distill streams check")


def _documents_among_lines(sources: Sequence[PlannedSource]) -> Iterator[str]:
    """Of each stream of both: a stream of documents alone, or of groups, means what it reads."""
    for stream in dict.fromkeys(source.stream for source in sources):
        of_stream = [source for source in sources if source.stream == stream]
        documents = [source for source in of_stream if source.is_read_by_items]
        if documents and len(documents) < len(of_stream):
            names = ", ".join(visible(source.file.relative) for source in documents[:_NAMED_DOCUMENTS])
            more = f" and {len(documents) - _NAMED_DOCUMENTS:,} more" * (len(documents) > _NAMED_DOCUMENTS)
            yield f"{stream}: among files of JSON Lines, read by its items: {names}{more}"


def _is_meant(skips: Counter[str]) -> bool:
    """Lines that the settings leave out, or that stand elsewhere too, are no sign of a wrong file."""
    meant = (SkipReason.FILTERED_OUT, SkipReason.DUPLICATE_LINE, SkipReason.BLANK_LINE)
    return any(skips[reason] for reason in meant) and not set(skips) - set(meant)
