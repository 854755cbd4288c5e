"""``distill lineage ID``: the chain of one row, down to the bytes of its source line.

ID is a row's id, a run id, or FILE:LINE of a row or of a source. Ends with 0 when every link
that can be checked agrees (a source that is gone is no failure), with 1 when two links do not,
and with 3 when there is no such id.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.contracts.faults import ExitCode, InputError, SettingsError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.lineage import Chain, Lineage
    from pipeline.row_search import FoundRow
    from pipeline.source_bytes import SourceBytes

_SHOWN_CHARACTERS = 1000
_LABEL_WIDTH = 11
_WORDS_OF_ROW = ("id", "quality_score", "source_category", "export", "reason")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.lineage import trace

    if arguments.raw and sys.stdout.isatty():
        raise SettingsError.of(
            code="bytes_to_terminal",
            what_happened="--bytes writes raw bytes, escape codes included: not to a terminal.",
            kept_safe="Nothing was written.",
            do_next="Send them to a file or a pipe:  … --bytes | sha256sum",
        )
    loaded = context.settings()
    lineage = trace(context.workspace, loaded.settings, arguments.id)
    code = ExitCode.OK if lineage.ok else ExitCode.CHECK_FAILED
    if arguments.raw:
        _write_bytes(lineage, context)
    elif context.json:
        context.out_json(as_data(lineage))
    else:
        context.out("\n".join(as_lines(lineage)))
    return code


def _write_bytes(lineage: Lineage, context: CommandContext) -> None:
    present = [source for source in lineage.sources if source.raw is not None]
    if not present:
        reasons = "; ".join(source.why for source in lineage.sources) or "no row names its source line"
        raise InputError.of(
            code="no_source_bytes",
            what_happened=f"There are no source bytes of {lineage.asked}: {reasons}.",
            kept_safe="Nothing was changed.",
            do_next="See what is known of it, without --bytes.",
            value=lineage.asked,
        )
    for source in present:
        context.out_bytes((source.raw or b"") + b"\n")


def as_lines(lineage: Lineage) -> Iterator[str]:
    """The chain for people, from the row to the bytes. All text is made visible."""
    if lineage.row is not None:
        yield _line("row", lineage.row.place, *_words(lineage.row.row, _WORDS_OF_ROW))
    if lineage.skip is not None:
        yield _line("skipped", lineage.skip.place, *_words(lineage.skip.row, ("reason", "detail")))
    if lineage.skipped_source is not None:
        yield from _source_lines(lineage.skipped_source)
    for number, chain in enumerate(lineage.chains):
        if number or lineage.row is not None:
            yield ""
        yield from _chain_lines(chain)
    for source in lineage.sources:
        yield from _byte_lines(source)


def _chain_lines(chain: Chain) -> Iterator[str]:
    yield _line(chain.role, chain.run_id)
    yield _found_line("scored", chain.scored, ("category", "score", "reasons"))
    yield _found_line("evidence", chain.evidence, ("task_id", "model_name"))
    if chain.source is not None:
        yield from _source_lines(chain.source)
    for number, other in enumerate(chain.elsewhere):
        yield _line("elsewhere" if number == 0 else "", other.found.place, other.what)
    if not chain.elsewhere:
        yield _line("elsewhere", "in no other row")
    for sentence in chain.broken:
        yield _line("BROKEN", sentence)


def _source_lines(source: SourceBytes) -> Iterator[str]:
    size = "" if source.raw is None else plural(len(source.raw), "byte")
    yield _line("source", f"{source.file}:{source.line}", f"offset {source.byte_offset}", size)
    yield _line("sha256", source.state.replace("_", " "), source.why, source.sig_hash or "")


def _byte_lines(source: SourceBytes) -> Iterator[str]:
    if source.raw is not None:
        text = source.raw.decode("utf-8", errors="surrogateescape")
        yield ""
        yield visible(f"bytes of {source.file}:{source.line}")
        shown = visible(text, _SHOWN_CHARACTERS)
        width = max(40, shutil.get_terminal_size((100, 24)).columns - 2)
        yield from (f"  {shown[at : at + width]}" for at in range(0, len(shown), width))
        if len(text) > _SHOWN_CHARACTERS:
            yield f"  (the first {_SHOWN_CHARACTERS} of {len(text):,} characters; --bytes writes all of them)"


def _found_line(label: str, found: FoundRow | None, names: tuple[str, ...]) -> str:
    return _line(label, "missing") if found is None else _line(label, found.place, *_words(found.row, names))


def _words(row: dict[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = row.get(name)
        if isinstance(value, list):
            yield ", ".join(str(item) for item in value)
        elif value is not None:
            yield f"task {value}" if name == "task_id" else str(value)


def _line(label: str, *parts: str) -> str:
    return f"{label:<{_LABEL_WIDTH}}{'   '.join(visible(part, 300) for part in parts if part)}".rstrip()


def as_data(lineage: Lineage) -> dict[str, Any]:
    """The chain for machines. Bytes are given as text with hidden characters shown as escapes."""
    return {
        "asked": lineage.asked,
        "ok": lineage.ok,
        "row": _found_data(lineage.row),
        "skip": _found_data(lineage.skip),
        "skipped_source": _source_data(lineage.skipped_source),
        "chains": [
            {
                "run_id": chain.run_id,
                "role": chain.role,
                "ok": chain.ok,
                "broken": chain.broken,
                "scored": _found_data(chain.scored),
                "evidence": _found_data(chain.evidence),
                "source": _source_data(chain.source),
                "elsewhere": [
                    {"what": other.what, **(_found_data(other.found) or {})} for other in chain.elsewhere
                ],
            }
            for chain in lineage.chains
        ],
    }


def _found_data(found: FoundRow | None) -> dict[str, Any] | None:
    if found is None:
        return None
    wanted = (
        "id",
        "run_id",
        "quality_score",
        "source_category",
        "category",
        "score",
        "reasons",
        "reason",
        "task_id",
    )
    return {
        "file": found.file,
        "line": found.line,
        "byte_offset": found.byte_offset,
        "bytes": found.length,
        **{name: found.row[name] for name in wanted if name in found.row},
    }


def _source_data(source: SourceBytes | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "file": source.file,
        "line": source.line,
        "byte_offset": source.byte_offset,
        "bytes": None if source.raw is None else len(source.raw),
        "sig_hash": source.sig_hash,
        "sha256": source.sha256,
        "state": source.state.value,
        "why": source.why,
        "text": None
        if source.raw is None
        else visible(source.raw.decode("utf-8", errors="surrogateescape"), _SHOWN_CHARACTERS),
    }
