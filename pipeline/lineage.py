"""The chain of one row: export, scored run, evidence, source line; and where its run went.

It reads files and trusts none of them: each link is compared with the next, the texts of exported
rows with those of their evidence, and the source line's digest is computed again from its bytes.
Nothing is loaded whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError
from pipeline.row_search import FoundRow, find_by, find_rows, row_at
from pipeline.run_texts import parts_of_row
from pipeline.schemas.export_versions import standing_versions
from pipeline.settings.confine import resolved, source_roots
from pipeline.settings.model import Settings
from pipeline.source_bytes import SourceBytes, SourceState, read_source
from pipeline.streams.compiled import run_id as derived_run_id

_EXPORT_ID = re.compile(r"(rag|sft|pref)-[0-9a-f]{16}")
_FILE_AND_LINE = re.compile(r"(?P<file>.+):(?P<line>[0-9]{1,18})", re.DOTALL)
_EXPORT_FILES = {"rag": paths.RAG_EXPORT, "sft": paths.SFT_EXPORT, "pref": paths.PREFERENCE_EXPORT}
_KIND_OF_FILE = {str(file): kind for kind, file in paths.EXPORT_FILES.items()}
# Where rows lie that name runs. Any other file is taken for a source.
_ROW_FOLDERS = (paths.EXPORTS, paths.EVIDENCE, paths.SCORED_RUNS)


@dataclass(frozen=True)
class Elsewhere:
    """Another row that was made of the run, or that says why none was."""

    what: str
    found: FoundRow


@dataclass
class Chain:
    """One run. ``broken`` holds a sentence for each two links that do not agree."""

    run_id: str
    role: str
    scored: FoundRow | None = None
    evidence: FoundRow | None = None
    source: SourceBytes | None = None
    elsewhere: list[Elsewhere] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.broken and (self.source is None or self.source.state is not SourceState.DISAGREE)


@dataclass
class Lineage:
    """What was asked about: a row, a run or a source line. ``skip`` says why a line gave no run."""

    asked: str
    row: FoundRow | None = None
    chains: list[Chain] = field(default_factory=list)
    skip: FoundRow | None = None
    skipped_source: SourceBytes | None = None

    @property
    def sources(self) -> list[SourceBytes]:
        """Each source line once, although it may have given several runs."""
        read = [self.skipped_source, *(chain.source for chain in self.chains)]
        return list(
            {(source.file, source.byte_offset): source for source in read if source is not None}.values()
        )

    @property
    def ok(self) -> bool:
        return all(chain.ok for chain in self.chains)


def trace(workspace: Path, settings: Settings, asked: str) -> Lineage:
    """The chain of an export id, a run id, or FILE:LINE. Raises InputError when there is none."""
    try:
        asked.encode()
    except UnicodeEncodeError:
        raise _unknown(asked, "it is not Unicode") from None
    if kind := _EXPORT_ID.fullmatch(asked):
        relative = _EXPORT_FILES[kind[1]]
        row = next(find_by(workspace, relative, "id", asked), None)
        if row is None:
            raise _unknown(asked, f"no row of {relative} has this id")
        return _of_row(workspace, settings, asked, row)
    if place := _FILE_AND_LINE.fullmatch(asked):
        return _of_line(workspace, settings, asked, place["file"], int(place["line"]))
    chain = _chain(workspace, settings, asked, "run", None)
    if chain.evidence is None and chain.scored is None and not chain.elsewhere:
        raise _unknown(asked, "no evidence, scored run, export or quarantined row has this run id")
    return Lineage(asked, chains=[chain])


def runs_in(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Run id and role of each run that a row names: one, or both sides of a pair."""
    if "chosen_run_id" in row:
        named = [(row["chosen_run_id"], "chosen"), (row.get("rejected_run_id"), "rejected")]
    else:
        named = [(row.get("source_run_id", row.get("run_id")), "run")]
    return [(run_id, role) for run_id, role in named if isinstance(run_id, str)]


def evidence_of(workspace: Path, run_id: str) -> FoundRow | None:
    return _row_of_run(workspace, paths.evidence_file, run_id)


def scored_of(workspace: Path, run_id: str) -> FoundRow | None:
    return _row_of_run(workspace, paths.scored_file, run_id)


def _row_of_run(workspace: Path, file_of: Callable[[str], PurePosixPath], run_id: str) -> FoundRow | None:
    stream, _, _ = run_id.rpartition("/")
    if not stream or PurePosixPath(stream).name != stream:
        return None
    return next(find_by(workspace, file_of(stream), "run_id", run_id), None)


def _of_row(workspace: Path, settings: Settings, asked: str, row: FoundRow) -> Lineage:
    lineage = Lineage(asked, row=row)
    for run_id, role in runs_in(row.row):
        lineage.chains.append(_chain(workspace, settings, run_id, role, row))
    if not lineage.chains:
        raise _unknown(asked, f"{row.place} names no run")
    return lineage


def _of_line(workspace: Path, settings: Settings, asked: str, file: str, line: int) -> Lineage:
    relative = _name_in_workspace(workspace, settings, file)
    if any(PurePosixPath(relative).is_relative_to(folder) for folder in _ROW_FOLDERS):
        row = row_at(workspace, PurePosixPath(relative), line)
        if row is None:
            raise _unknown(asked, f"{relative} has no row on line {line}")
        return _of_row(workspace, settings, asked, row)
    if PurePosixPath(relative) == paths.DISTILLATION_SKIPS:
        skip = row_at(workspace, paths.DISTILLATION_SKIPS, line)
        if skip is None:
            raise _unknown(asked, f"{relative} has no row on line {line}")
        return _of_skip(workspace, settings, asked, skip)
    lineage = Lineage(asked)
    for evidence in _evidence_of_line(workspace, relative, line):
        run_id = str(evidence.row["run_id"])
        lineage.chains.append(_chain(workspace, settings, run_id, "run", None))
    if lineage.chains:
        return lineage
    skip = next(_skips_of_line(workspace, relative, line), None)
    if skip is not None:
        return _of_skip(workspace, settings, asked, skip)
    raise _unknown(
        asked, f"line {line} of {relative} is neither evidence nor a skip (a look-up, or not read yet)"
    )


def _of_skip(workspace: Path, settings: Settings, asked: str, skip: FoundRow) -> Lineage:
    place = {name: skip.row.get(name) for name in ("line", "byte_offset")}
    place["source_file"] = skip.row.get("file")
    if not _names_a_place(place):
        raise _unknown(asked, f"{skip.place} names no source line")
    return Lineage(asked, skip=skip, skipped_source=read_source(workspace, settings, place))


def _evidence_of_line(workspace: Path, source_file: str, line: int) -> Iterator[FoundRow]:
    """The evidence that stands on a line: as its own, or as one of a group's."""

    def is_of_line(row: dict[str, Any]) -> bool:
        origin = row.get("provenance")
        if not isinstance(origin, dict):
            return False
        ranges = origin.get("ranges")
        if not isinstance(ranges, list):
            return (origin.get("source_file"), origin.get("line")) == (source_file, line)
        return any(_holds(each, source_file, line) for each in ranges)

    for path in sorted((workspace / paths.EVIDENCE).glob("*.jsonl")):
        for needle in (b'"line":%d,' % line, b'"ranges":'):
            for found in find_rows(workspace, paths.EVIDENCE / path.name, needle, is_of_line):
                has_ranges = "ranges" in found.row["provenance"]
                if has_ranges is (needle == b'"ranges":'):
                    yield found


def _holds(each: Any, source_file: str, line: int) -> bool:
    if not isinstance(each, dict) or each.get("source_file") != source_file:
        return False
    first, last = each.get("first_line"), each.get("last_line")
    return type(first) is int and type(last) is int and first <= line <= last


def _skips_of_line(workspace: Path, source_file: str, line: int) -> Iterator[FoundRow]:
    return find_rows(
        workspace,
        paths.DISTILLATION_SKIPS,
        b'"line":%d,' % line,
        lambda row: (row.get("file"), row.get("line")) == (source_file, line),
    )


def _chain(workspace: Path, settings: Settings, run_id: str, role: str, asked_row: FoundRow | None) -> Chain:
    chain = Chain(run_id, role)
    chain.evidence = evidence_of(workspace, run_id)
    chain.scored = scored_of(workspace, run_id)
    chain.elsewhere = [
        other
        for other in _rows_of(workspace, run_id)
        if asked_row is None or other.found.place != asked_row.place
    ]
    provenances = {
        what: provenance
        for what, found in (("row", asked_row), ("scored run", chain.scored), ("evidence", chain.evidence))
        if found is not None and isinstance(provenance := _provenance(found.row, role), dict)
    }
    chain.broken = list(_disagreements(chain, asked_row, provenances))
    chain.broken += _other_texts(workspace, chain, asked_row)
    if provenances:
        nearest = list(provenances.values())[-1]
        if _names_a_place(nearest):
            chain.source = read_source(workspace, settings, nearest)
        else:
            chain.broken.append("the provenance is not one")
    return chain


def _names_a_place(provenance: dict[str, Any]) -> bool:
    file, line, offset = (provenance.get(name) for name in ("source_file", "line", "byte_offset"))
    if not isinstance(provenance.get("sig_hash", ""), str):
        return False
    return isinstance(file, str) and isinstance(line, int) and isinstance(offset, int) and offset >= 0


def _place(provenance: dict[str, Any]) -> dict[str, Any]:
    """What every row repeats of a provenance; the ranges of a group stand in evidence alone."""
    return {name: value for name, value in provenance.items() if name not in ("group", "ranges")}


def _provenance(row: dict[str, Any], role: str) -> Any:
    return row.get(f"{role}_provenance", row.get("provenance"))


def _disagreements(
    chain: Chain, asked_row: FoundRow | None, provenances: dict[str, dict[str, Any]]
) -> Iterator[str]:
    if chain.evidence is None:
        yield "no evidence row has this run id"
    if chain.scored is None:
        yield "no scored run has this run id"
    category = chain.scored.row.get("category") if chain.scored else None
    if asked_row is not None and category is not None:
        label = asked_row.row.get("quality_score", asked_row.row.get("source_category", category))
        if label != category:
            yield f"the row says {label}, its scored run says {category}"
    kept = list(provenances.items())
    for (what, provenance), (next_what, next_provenance) in pairwise(kept):
        if _place(provenance) != _place(next_provenance):
            yield f"{what} and {next_what} name different source lines"
    if chain.evidence is not None:
        row = chain.evidence.row
        try:
            derived = derived_run_id(row["stream"], row["provenance"])
        except (KeyError, TypeError):
            derived = None
        if derived != chain.run_id:
            yield "the run id does not follow from stream, digest and part of the evidence"


def _other_texts(workspace: Path, chain: Chain, asked_row: FoundRow | None) -> Iterator[str]:
    """Where exported rows of the run say what it did not. Rows of version 1 are not compared."""
    if chain.evidence is None:
        return
    versions = standing_versions(workspace)
    rows = [("", asked_row, chain.role)] if asked_row is not None else []
    rows += [
        (f"{other.found.place}: ", other.found, other.what.rpartition(", ")[2]) for other in chain.elsewhere
    ]
    for prefix, found, role in rows:
        kind = _KIND_OF_FILE.get(found.file)
        if kind is not None and versions[kind] > 1:
            for sentence in parts_of_row(kind, found.row, chain.evidence.row, role):
                yield prefix + sentence


def _rows_of(workspace: Path, run_id: str) -> Iterator[Elsewhere]:
    """Every exported row made of the run, and every refusal of it. Files are read to their end,
    because a row that somebody appended may name the run a second time."""
    for name, file in (("rag", paths.RAG_EXPORT), ("sft", paths.SFT_EXPORT)):
        for found in find_by(workspace, file, "source_run_id", run_id):
            yield Elsewhere(name, found)
    for side in ("chosen", "rejected"):
        for found in find_by(workspace, paths.PREFERENCE_EXPORT, f"{side}_run_id", run_id):
            yield Elsewhere(f"preference, {side}", found)
    for file in paths.QUARANTINE_FILES.values():
        for found in find_by(workspace, file, "run_id", run_id):
            yield Elsewhere(f"quarantined by {file.stem}: {found.row.get('reason')}", found)


def _name_in_workspace(workspace: Path, settings: Settings, file: str) -> str:
    """A path as typed, under the name that rows use: below the workspace or ``@root``."""
    if file.startswith("@") or (workspace / file).exists():
        return (
            Path(file).as_posix() if not Path(file).is_absolute() else _below(workspace, settings, Path(file))
        )
    return _below(workspace, settings, Path.cwd() / file) if Path(file).exists() else file


def _below(workspace: Path, settings: Settings, path: Path) -> str:
    real = resolved(path)
    root = resolved(workspace)
    if real.is_relative_to(root):
        return real.relative_to(root).as_posix()
    for outside in source_roots(workspace, settings):
        if real.is_relative_to(outside):
            return f"@{outside.name}/{real.relative_to(outside).as_posix()}"
    return path.as_posix()


def _unknown(asked: str, why: str) -> InputError:
    return InputError.of(
        code="unknown_id",
        what_happened=f"{asked} cannot be traced: {why}.",
        kept_safe="Nothing was changed.",
        do_next="Give a row's id (sft-…, rag-…, pref-…), a run id (stream/…), or FILE:LINE.",
        value=asked,
    )
