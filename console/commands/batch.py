"""``distill --batch``: run and verify everything, headless; the exit code says how it went.

The report goes to standard output with ``--json``, and the verdict then to standard error; the
verdict is always the last line that is printed.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from console.batch.causes import causes
from console.batch.outcome import BatchOutcome, exit_code, verdict_line
from console.batch.parts import OF_THE_ENGINE, select
from console.batch.run import BatchOptions, run_batch
from console.batch.stream import BatchStream, Narration
from pipeline.contracts.faults import ExitCode, InputError, OperatorError, SettingsError, StorageError, worst
from pipeline.contracts.status import WorkspaceStatus
from pipeline.contracts.untrusted import visible
from pipeline.platform.trust_question import settle_trust
from pipeline.platform.voice import Voice

STEP_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
_PLACES = 5


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    options = BatchOptions(
        select(arguments.only, arguments.skip, determinism=arguments.determinism),
        fail_on_warn=arguments.fail_on == "warn",
        timeout_seconds=arguments.timeout,
    )
    root = voice.workspace
    if any(part in OF_THE_ENGINE for part in options.selection.wanted):
        settle_trust(root, voice)
    if voice.json and voice.events_place == "-":
        raise SettingsError.of(
            "usage",
            "--json and --events - both want standard output.",
            "Nothing was run or written.",
            "Give --events a file, or leave --json out.",
        )
    folder: Path | None = arguments.report_dir
    if folder is not None:
        from console.batch.report_folder import prepare

        prepare(folder)
    stream = BatchStream(voice.events_place, clock=_now)
    narration = Narration(None if arguments.quiet else voice)
    try:
        batch = run_batch(root, options, stream, narration, clock=_now)
    finally:
        stream.close()
    if stream.fault is not None:
        voice.fault(stream.fault)
        batch = replace(batch, untold=int(ExitCode.NOT_EVALUABLE))
    return _tell(batch, voice, folder, github=arguments.github, quiet=arguments.quiet)


def _now() -> float:
    import time

    return time.time()


def _tell(batch: BatchOutcome, voice: Voice, folder: Path | None, *, github: bool, quiet: bool) -> int:
    """Reports, annotations, and the verdict last. A report that cannot be written is exit 3 at least."""
    from console.batch.report import batch_report

    report: dict[str, object]
    # Standard output is the report's with --json, and the events' with --events -.
    aside = voice.json or voice.events_place == "-"
    say = voice.note if aside else voice.out
    try:
        if folder is not None:
            from console.batch.report_folder import write_reports

            report = write_reports(folder, batch, _status_of(batch))
        else:
            report = batch_report(batch)
        if github:
            _tell_github(batch, voice)
    except OperatorError as error:
        voice.fault(error.fault)
        batch = replace(batch, untold=worst([batch.untold or 0, int(error.exit_code)]))
        report = batch_report(batch)
    if voice.json:
        voice.out_json(report)
    else:
        _failures(batch, voice, aside=aside, quiet=quiet)
    say(verdict_line(batch))
    return exit_code(batch)


def _status_of(batch: BatchOutcome) -> WorkspaceStatus | None:
    """The dashboard after the batch, with a look of the firewall; None when the workspace is gone."""
    from console.commands.status import read_whole_status

    try:
        return read_whole_status(Path(batch.workspace))
    except InputError:
        return None


def _failures(batch: BatchOutcome, voice: Voice, *, aside: bool, quiet: bool) -> None:
    """Each cause with its places and the command that shows it again, and what follows from it beneath."""
    say = voice.note if aside else voice.out
    for cause in causes(batch):
        trouble = cause.trouble
        say(visible(f"{_capital(trouble.word):<13}  {trouble.id}: {trouble.message}"))
        for place in trouble.places[:_PLACES]:
            say(visible(f"{'':13}  at {place}"))
        if trouble.again:
            say(visible(f"{'':13}  again: {trouble.again}"))
        for each in cause.consequences:
            said = f"{each.id} {_capital(each.word)}: {each.message}"
            say(visible(f"{'':13}  from it follows {said}", 300))
    if quiet:
        return
    for part in batch.parts:
        for warning in part.warnings:
            say(visible(f"{'WARN':<13}  {part.part}: {warning}"))


def _capital(word: str) -> str:
    return word.replace("_", " ").upper()


def _tell_github(batch: BatchOutcome, voice: Voice) -> None:
    from console.batch.github import workflow_commands
    from console.batch.summary import MAX_BYTES, summary

    # A runner reads its commands from standard error as well, where they do not disturb --json.
    for line in workflow_commands(batch):
        voice.note(line)
    place = os.environ.get(STEP_SUMMARY_VARIABLE)
    if not place:
        voice.note(f"no step summary: {STEP_SUMMARY_VARIABLE} is not set")
        return
    try:
        with Path(place).open("ab") as file:
            file.write(summary(batch, max_bytes=MAX_BYTES).encode())
    except OSError as error:
        raise StorageError.of(
            "step_summary_refused",
            f"{place} cannot be written: {error.strerror}.",
            "The reports are written.",
            f"Look at {STEP_SUMMARY_VARIABLE}.",
            file=place,
        ) from error
