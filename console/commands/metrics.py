"""``distill metrics``: the dashboard's numbers for Prometheus, as text or as a textfile.

The exit code says whether they could be read, not what they say: an alarm is the collector's to
raise, from ``distill_symptom`` and ``distill_firewall_state``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from console.commands.status import read_whole_status
from console.watch.metrics import status_metrics
from pipeline.contracts.faults import ExitCode, SettingsError
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.platform.voice import Voice

SUFFIX = ".prom"


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    place: Path | None = arguments.out
    if place is not None and place.suffix != SUFFIX:
        raise SettingsError.of(
            "usage",
            f"--out {place} does not end in {SUFFIX}; a collector reads no other file.",
            "Nothing was read or written.",
            f"Name it {place.with_suffix(SUFFIX).name}",
        )
    status = read_whole_status(voice.workspace, arguments.firewall_seconds)
    text = status_metrics(status)
    if place is not None:
        disk.write_file(place, text.encode(), mode=disk.SHARED_MODE, parents=False)
        voice.note(f"{place}: {plural(text.count(chr(10)), 'line')}")
    if voice.json:
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        voice.out_json({"file": None if place is None else str(place), "samples": samples})
    elif place is None:
        voice.out(text.removesuffix("\n"))
    return ExitCode.OK
