"""``distill export --format NAME``: write the standing exports in trainers' formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault, IntegrityError, OperatorError, SettingsError
from pipeline.contracts.nearest import nearest_of
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.formats.folder import folder_of, write_folder
from pipeline.formats.format import Format
from pipeline.formats.reading import Reading
from pipeline.formats.readme import percentile, recommended_length
from pipeline.formats.registry import FORMATS
from pipeline.formats.single_files import SINGLE, write_single_files
from pipeline.formats.sources import written_files
from pipeline.formats.write import FileKind, Files
from pipeline.platform.firewall import Absent, Breach, Clear, Report, Unknown, ask_firewall
from pipeline.platform.voice import Voice
from pipeline.schemas.export_versions import standing_versions, words_on_age
from pipeline.stages.export_options import ExportOptions

_FILES_NAMED = 3


class _BreachError(IntegrityError):
    exit_code = ExitCode.FIREWALL_BREACH


class _Asked(NamedTuple):
    """``--format NAME`` writes Parquet, ``--format NAME:jsonl`` lines that people can read."""

    format: Format
    kind: FileKind


class Written(NamedTuple):
    """One format as it was written: its receipts, those of its single files of before, and the counts."""

    asked: _Asked
    receipts: list[Any]
    single: list[Any]
    files: Files


def write_formats(voice: Voice, names: Sequence[str], options: Callable[[], ExportOptions]) -> int:
    """Carry out the command. ``help`` among the names lists the formats instead."""
    if "help" in names:
        for entry in FORMATS.values():
            voice.out(f"{entry.name:<24} {entry.source:<12} {entry.help}")
        return ExitCode.OK
    written = run_formats(voice.workspace, names, options())
    age = words_on_age(standing_versions(voice.workspace))
    if age:
        voice.note(f"The exports hold {age}")
    if voice.json:
        voice.out_json([receipt for each in written for receipt in (*each.receipts, *each.single)])
        return ExitCode.OK
    for each in written:
        _tell(voice, each)
    return ExitCode.OK


def _tell(voice: Voice, written: Written) -> None:
    entry, _ = written.asked
    for receipt in (*written.receipts, *written.single):
        output = receipt["output"]
        voice.out(f"{output['path']}  {plural(output['rows'], 'row')}  sha256 {output['sha256']}")
    if not written.receipts:
        voice.note(f"{entry.name}: no row fits this format, so that there is no file to load")
    for path in written.files.taken_away:
        voice.note(f"{entry.name}: {path} went, since no loader takes a folder with two kinds of files")
    for reason, count in sorted(written.files.refused.items()):
        voice.note(f"{entry.name}: {plural(count, 'row')} refused ({reason})")
    if entry.has_rejected_answers:
        voice.note(f"{entry.name}: for KTO only, rows with label false are rejected answers")
    tokens = written.files.tokens
    if tokens:
        voice.note(
            f"{entry.name}: p99 about {percentile(tokens, 99):,} tokens, longest {max(tokens):,}; train with "
            f"max_length {recommended_length(tokens):,} as in {folder_of(entry)}/README.md"
        )
    for receipt in written.single:
        voice.note(
            f"{entry.name}: {receipt['output']['path']} is the file of before; "
            "the next version writes the folder alone"
        )


def run_formats(workspace: Path, names: Sequence[str], options: ExportOptions) -> list[Written]:
    """Write each named format once, in the order given.

    A format is only made of bytes that the standing manifest names, one of SFT only of bytes that the
    firewall has just found clear. Raises SettingsError for an unknown name, or one that is asked for in two
    kinds of files, before anything is written, and what ``write_folder`` raises.
    """
    wanted = {(asked.format.name, asked.kind): asked for asked in map(_asked, names)}
    for name, times in Counter(name for name, _ in wanted).items():
        if times > 1:
            raise _two_kinds(name)
    return [_write(workspace, asked, options) for asked in wanted.values()]


def _write(workspace: Path, asked: _Asked, options: ExportOptions) -> Written:
    entry, kind = asked
    guard = _must_be(_scanned_sha256(workspace)) if entry.source == "sft" else None
    written = written_files(workspace)
    receipts, files = write_folder(
        workspace, entry, kind, Reading(workspace, entry.source, written, options, guard)
    )
    single: list[Any] = []
    if kind == "parquet" and entry.name in SINGLE:
        export = SINGLE[entry.name].export
        single = write_single_files(
            workspace, entry.name, Reading(workspace, export, written, options, guard)
        )
    return Written(asked, receipts, single, files)


def _must_be(scanned: str) -> Callable[[str], None]:
    """A guard against an export that changed between the scan and the reading."""

    def guard(read: str) -> None:
        if read != scanned:
            raise _fault("export_changed", "The SFT export changed while it was read.", IntegrityError)

    return guard


def _asked(name: str) -> _Asked:
    base, _, kind = name.partition(":")
    if kind not in ("", "parquet", "jsonl"):
        raise _unknown(name, f'There is no kind of file "{kind}": parquet (the default) or jsonl.')
    if base not in FORMATS:
        raise _unknown(name, f'There is no format "{base}". {nearest_of(base, FORMATS)}')
    return _Asked(FORMATS[base], "jsonl" if kind == "jsonl" else "parquet")


def _two_kinds(name: str) -> SettingsError:
    return SettingsError.of(
        code="two_kinds_of_files",
        what_happened=f"{name} is asked for as parquet and as jsonl: no loader takes a folder with both.",
        kept_safe="Nothing was written.",
        do_next=f"Ask for one of them: distill export --format {name}",
        value=name,
    )


def _unknown(name: str, what_happened: str) -> SettingsError:
    return SettingsError.of(
        code="unknown_format",
        what_happened=what_happened,
        kept_safe="Nothing was written.",
        do_next="List the formats: distill export --format help",
        value=name,
    )


def _fault(
    code: str, what_happened: str, kind: type[OperatorError], file: str = str(paths.SFT_EXPORT)
) -> OperatorError:
    return kind(
        Fault(
            code=code,
            what_happened=what_happened,
            kept_safe="No formatted file was replaced.",
            do_next="See what the firewall says: distill firewall",
            file=file,
        )
    )


def _scanned_sha256(workspace: Path) -> str:
    """The digest of the live SFT file that the firewall has just found clear."""
    answer = ask_firewall(workspace, file=workspace / paths.SFT_EXPORT)
    match answer:
        case Clear(report) if report.sha256 is not None:
            return report.sha256
        case Breach(report):
            files = list(report.by_file) or [str(paths.SFT_EXPORT)]
            said = f"The firewall found {report.found} in {visible(' and '.join(files[:_FILES_NAMED]))}."
            raise _fault("firewall_breach", said, _BreachError, files[0])
        case Unknown(_, report) if report.sha256 is not None and _only_formatted_in_doubt(report):
            return report.sha256
        case Unknown(why):
            raise _not_cleared(why)
        case Clear() | Absent():
            raise _not_cleared(f"it says {answer.state} and names no bytes")


def _only_formatted_in_doubt(report: Report) -> bool:
    """Whether all is clear but an older formatted file: to make it again mends that."""
    files = report.said.get("formatted")
    return any(
        each.get("state") == "unknown"
        and f"{each.get('file')}: {each.get('detail')}" == report.said.get("detail")
        for each in (files if isinstance(files, list) else [])
        if isinstance(each, dict)
    )


def _not_cleared(why: str) -> OperatorError:
    said = f"The firewall did not clear the SFT export: {why}."
    return _fault("firewall_not_evaluable", said, OperatorError)
