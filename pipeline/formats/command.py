"""``distill export --format NAME``: write the standing exports in trainers' formats."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault, IntegrityError, OperatorError, SettingsError
from pipeline.formats.rows import FORMATS, Format
from pipeline.formats.write import write_splits
from pipeline.platform.firewall import Absent, Breach, Clear, Unknown, ask_firewall
from pipeline.platform.voice import Voice
from pipeline.schemas.export_versions import standing_versions, words_on_age


class _BreachError(IntegrityError):
    exit_code = ExitCode.FIREWALL_BREACH


def write_formats(voice: Voice, names: Sequence[str]) -> int:
    """Carry out the command. ``help`` among the names lists the formats instead."""
    if "help" in names:
        for entry in FORMATS.values():
            voice.out(f"{entry.name:<24} {entry.export:<12} {entry.help}")
        return ExitCode.OK
    receipts = run_formats(voice.workspace, names)
    age = words_on_age(standing_versions(voice.workspace))
    if age:
        voice.note(f"The exports hold {age}")
    if voice.json:
        voice.out_json(receipts)
        return ExitCode.OK
    for receipt in receipts:
        output = receipt["output"]
        voice.out(f"{output['path']}  {output['rows']:,} rows  sha256 {output['sha256']}")
        for reason, count in receipt["refused"].items():
            voice.note(f"{receipt['format']}: {count:,} rows refused ({reason})")
    return ExitCode.OK


def run_formats(workspace: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Write each named format once, in the order given, and give the receipts, one a file.

    A format of SFT is only made of bytes that the firewall has just found clear. Raises
    SettingsError for an unknown name before anything is written, and what ``write_splits`` raises.
    """
    receipts = []
    for entry in [_format(name) for name in dict.fromkeys(names)]:
        may_appear = _must_be(_scanned_sha256(workspace)) if entry.export == "sft" else None
        receipts += write_splits(workspace, entry, may_appear)
    return receipts


def _must_be(scanned: str) -> Callable[[str], None]:
    """A guard against an export that changed between the scan and the reading."""

    def guard(read: str) -> None:
        if read != scanned:
            raise _fault("export_changed", "The SFT export changed while it was read.", IntegrityError)

    return guard


def _format(name: str) -> Format:
    try:
        return FORMATS[name]
    except KeyError:
        nearest = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f' Did you mean "{nearest[0]}"?' if nearest else ""
        raise SettingsError(
            Fault(
                code="unknown_format",
                what_happened=f'There is no format "{name}".{hint}',
                kept_safe="Nothing was written.",
                do_next="List the formats: distill export --format help",
                value=name,
            )
        ) from None


def _fault(code: str, what_happened: str, kind: type[OperatorError]) -> OperatorError:
    return kind(
        Fault(
            code=code,
            what_happened=what_happened,
            kept_safe="No formatted file was replaced.",
            do_next="See what the firewall says: distill firewall",
            file=str(paths.SFT_EXPORT),
        )
    )


def _scanned_sha256(workspace: Path) -> str:
    """The digest of the live SFT file that the firewall has just found clear."""
    answer = ask_firewall(workspace, file=workspace / paths.SFT_EXPORT)
    match answer:
        case Clear(report) if report.sha256 is not None:
            return report.sha256
        case Breach(report):
            raise _fault("firewall_breach", f"The SFT export holds {report.found}.", _BreachError)
        case Unknown(why):
            raise _not_cleared(why)
        case Clear() | Absent():
            raise _not_cleared(f"it says {answer.state} and names no bytes")


def _not_cleared(why: str) -> OperatorError:
    said = f"The firewall did not clear the SFT export: {why}."
    return _fault("firewall_not_evaluable", said, OperatorError)
