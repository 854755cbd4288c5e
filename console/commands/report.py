"""``distill report``: the whole state as text, as data, or as one HTML file for those without a terminal.

The exit code says whether it could be made, not what it says.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from console.commands.status import read_whole_status
from console.report.facts import read_facts
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import plural
from pipeline.contracts.status_data import as_data
from pipeline.platform import disk
from pipeline.platform.voice import Voice

REPORT_VERSION = 1


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    facts = read_facts(root, read_whole_status(root, arguments.firewall_seconds))
    place: Path | None = arguments.html
    if place is not None:
        from console.report.page import page

        data = page(facts).encode()
        disk.write_file(place, data, mode=disk.SHARED_MODE, parents=False)
        voice.note(f"{place}: {plural(len(data), 'byte')}")
    if voice.json:
        head = {
            "schema_version": REPORT_VERSION,
            "kind": "report",
            "file": None if place is None else str(place),
        }
        voice.out_json({**head, **as_data(facts)})
    elif place is None:
        from console.report.text import lines

        for line in lines(facts):
            voice.out(line)
    return ExitCode.OK
