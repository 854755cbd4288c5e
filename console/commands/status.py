"""``distill status``: the dashboard as text, or as data with ``--json``.

Exit code 10 for a breach, 1 for a failed check or a severe symptom, 5 when a required one could not be
looked for or was not evaluated since something was touched, else 0; what was never evaluated changes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from console.plain.status import exit_code, status_lines
from console.reading.firewall_scan import SCAN_SECONDS, scan_or_known
from console.reading.workspace_reader import WorkspaceReader
from console.state.symptoms_now import first_seen, showing, with_firewall, with_looks
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.status import STATUS_VERSION, Answer, WorkspaceStatus
from pipeline.contracts.status_data import as_data
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return print_status(voice, arguments.firewall_seconds)


def print_status(voice: Voice, firewall_seconds: float = SCAN_SECONDS) -> ExitCode:
    """Read, scan within the limit, print; the exit code says what was found."""
    status = read_whole_status(voice.workspace, firewall_seconds)
    code = exit_code(status, status.read_at)
    if voice.json:
        voice.out_json({"status_version": STATUS_VERSION, "exit_code": int(code), **as_data(status)})
        return code
    for line in status_lines(status):
        voice.out(line)
    return code


def read_whole_status(root: Path, firewall_seconds: float, looks: Iterable[Answer] = ()) -> WorkspaceStatus:
    """Files, kept looks and those of this process, and one look of the firewall.

    Raises InputError when the workspace is gone.
    """
    try:
        status = WorkspaceReader(root).read()
    except OSError as error:
        raise InputError.of(
            "workspace_gone", str(error), "Nothing was written.", "Look at the disk, then: distill doctor"
        ) from error
    firewall = scan_or_known(root, status.firewall, firewall_seconds)
    now = status.read_at
    answers = with_firewall(with_looks(status.answers, looks, now), firewall, now)
    symptoms = showing(answers, now)
    return replace(status, firewall=first_seen(firewall, symptoms), answers=answers, symptoms=symptoms)
