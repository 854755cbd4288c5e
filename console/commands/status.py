"""``distill status``: the dashboard as text, or as data with ``--json``.

Exit code 10 for a breach, 1 for a failed check or a severe symptom, else 0; what was never
evaluated changes nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from console.plain.status import exit_code, status_lines
from console.reading.firewall_scan import SCAN_SECONDS, scan_or_known
from console.reading.workspace_reader import WorkspaceReader
from console.state.derive import leak_symptom, worst_first
from pipeline.contracts.faults import ExitCode, Fault, InputError
from pipeline.contracts.status import STATUS_VERSION, WorkspaceStatus, as_data
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return print_status(voice, arguments.firewall_seconds)


def print_status(voice: Voice, firewall_seconds: float = SCAN_SECONDS) -> ExitCode:
    """Read, scan within the limit, print; the exit code says what was found."""
    status = read_whole_status(voice.workspace, firewall_seconds)
    code = exit_code(status)
    if voice.json:
        voice.out_json({"status_version": STATUS_VERSION, "exit_code": int(code), **as_data(status)})
        return code
    for line in status_lines(status):
        voice.out(line)
    return code


def read_whole_status(root: Path, firewall_seconds: float) -> WorkspaceStatus:
    """Files plus one look of the firewall. Raises InputError when the workspace is gone."""
    try:
        status = WorkspaceReader(root).read()
    except OSError as error:
        raise InputError(
            Fault(
                "workspace_gone", str(error), "Nothing was written.", "Look at the disk, then: distill doctor"
            )
        ) from error
    firewall = scan_or_known(root, status.firewall, firewall_seconds)
    symptoms = [symptom for symptom in status.symptoms if symptom.id != "S1.P4.sft-leak"]
    leak = leak_symptom(firewall)
    return replace(
        status, firewall=firewall, symptoms=worst_first([*symptoms, *([leak] if leak is not None else [])])
    )
