"""``distill schema export | check | lock | reference``: the contracts of what is written."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts.faults import ExitCode, OperatorError, StorageError, worst
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.contracts.checks import CheckResult


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    match arguments.action:
        case "export":
            return _export(arguments.dir, context)
        case "check":
            return _check(context)
        case "lock":
            return _lock(context)
        case _:
            return _reference(context)


def _export(directory: str | None, context: CommandContext) -> int:
    from pipeline.schemas.json_schema import all_json_schemas, write_json_schemas

    if directory is None:
        context.out_json(all_json_schemas())
        return ExitCode.OK
    try:
        written = write_json_schemas(Path(directory))
    except OSError as error:
        raise _unwritable(directory, error) from error
    if context.json:
        context.out_json({"written": [str(path) for path in written]})
    else:
        context.out("\n".join(visible(str(path)) for path in written))
    return ExitCode.OK


def _check(context: CommandContext) -> int:
    from pipeline.commands.result_tables import print_checks
    from pipeline.schemas.checks import validators_hold, versions_pinned

    results = [versions_pinned(), validators_hold()]
    code = worst(_exit_code(result) for result in results)
    if context.json:
        context.out_json(
            {"ok": code == ExitCode.OK, "checks": [result.model_dump(mode="json") for result in results]}
        )
        return code
    print_checks(context, results)
    return code


def _exit_code(result: CheckResult) -> ExitCode:
    from pipeline.contracts.checks import CheckStatus

    if result.status is CheckStatus.PASS:
        return ExitCode.OK
    return ExitCode.NOT_EVALUATED if result.status is CheckStatus.NOT_EVALUATED else ExitCode.CHECK_FAILED


def _lock(context: CommandContext) -> int:
    from pipeline.contracts.discovery import shown_place
    from pipeline.schemas.lock import LOCK_FILE, write_lock

    # A workspace's own engine runs from a copy; what it locks lies in the workspace.
    place = Path(shown_place(str(LOCK_FILE)))
    try:
        before = disk.read_plain(place) if place.exists() else None
        changed = write_lock(place)
    except OSError as error:
        raise _unwritable(str(place), error) from error
    if changed and place != LOCK_FILE:
        _trust_again(place, before, context)
    if context.json:
        context.out_json({"file": str(place), "changed": changed})
    else:
        context.out(f"{visible(str(place))}: {', '.join(changed) or 'nothing to change'}")
    return ExitCode.OK


def _trust_again(place: Path, before: bytes | None, context: CommandContext) -> None:
    """The lock is a file of the workspace's code: trust follows where nothing else of it changed."""
    from pipeline.contracts.shell_words import joined
    from pipeline.platform.engine_choice import stakes_of, trust_follows

    root = place.parents[2]
    name = str(place.relative_to(root / "pipeline"))
    digest = hashlib.sha256(before).hexdigest() if before is not None else None
    try:
        trusted = trust_follows(stakes_of(root), {name: digest})
    except OperatorError:
        trusted = False
    if not trusted:
        command = joined(["distill", "trust", str(root)])
        context.note(f"The workspace's code is another one now. Look at it and trust it: {command}")


def _reference(context: CommandContext) -> int:
    from pipeline.schemas.reference import page

    text = page()
    if context.json:
        context.out_json({"markdown": text})
    else:
        context.out(text.rstrip("\n"))
    return ExitCode.OK


def _unwritable(place: str, error: OSError) -> StorageError:
    return StorageError.of(
        code="schema_files_unwritable",
        what_happened=f"{place} cannot be written: {error.strerror}.",
        kept_safe="No schema was changed; a file that was there is whole.",
        do_next="Name a directory that you may write to.",
        file=place,
    )
