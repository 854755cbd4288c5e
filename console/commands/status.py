"""``distill status``: the dashboard as text, or as data with ``--json``.

Exit code 10 for a breach, 1 for a failed check or a severe symptom, 5 when a required one could not be
looked for or was not evaluated since something was touched, else 0; what was never evaluated changes nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from console.plain.status import exit_code, status_lines
from console.reading.firewall_scan import scan_or_known
from console.reading.workspace_reader import WorkspaceReader
from console.state.symptoms_now import first_seen, showing, with_firewall, with_looks
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.status import STATUS_VERSION, Answer, WorkspaceStatus
from pipeline.contracts.status_data import as_data
from pipeline.platform import streams
from pipeline.platform.process import obeying
from pipeline.platform.voice import Voice
from pipeline.reading.staleness import CLOCK_SLACK_SECONDS

_PATIENCE_SECONDS = 2.0


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return print_status(voice, arguments.firewall_seconds)


def print_status(voice: Voice, firewall_seconds: float | None = None) -> ExitCode:
    """Read, scan within the limit what was touched since it was found clear, print.

    The exit code says what was found.
    """
    with obeying(_told_when_long(voice)):
        status = read_whole_status(voice.workspace, firewall_seconds, from_kept=True)
    code = exit_code(status, status.read_at)
    if voice.json:
        voice.out_json({"status_version": STATUS_VERSION, "exit_code": int(code), **as_data(status)})
        return code
    for line in status_lines(status):
        voice.out(line)
    return code


def _told_when_long(voice: Voice) -> Callable[[], None]:
    """Called while the firewall is at work: says so once to a person who waits for it."""
    began, waits = time.monotonic(), os.isatty(streams.ERR)

    def tell() -> None:
        nonlocal waits
        if waits and time.monotonic() - began >= _PATIENCE_SECONDS:
            waits = False
            voice.note("the firewall reads the exports and all that they are judged by …")

    return tell


def read_whole_status(
    root: Path,
    firewall_seconds: float | None = None,
    looks: Iterable[Answer] = (),
    *,
    from_kept: bool = False,
) -> WorkspaceStatus:
    """Files, kept looks and those of this process, and one look of the firewall.

    ``from_kept``: none, where what it found clear was not touched since. Raises InputError when the
    workspace is gone.
    """
    reader = WorkspaceReader(root)
    status = _read(reader, root)
    firewall = scan_or_known(root, status.firewall, firewall_seconds, from_kept=from_kept)
    if time.time() - status.read_at > CLOCK_SLACK_SECONDS:
        status = _read(reader, root)  # what was heard since is no news from the future
    now = status.read_at
    answers = with_firewall(with_looks(status.answers, looks, now), firewall, now)
    symptoms = showing(answers, now)
    return replace(status, firewall=first_seen(firewall, symptoms), answers=answers, symptoms=symptoms)


def _read(reader: WorkspaceReader, root: Path) -> WorkspaceStatus:
    try:
        return reader.read()
    except OSError as error:
        raise InputError.of(
            "workspace_gone", str(error), "Nothing was written.", "Look at the disk, then: distill doctor"
        ) from error
