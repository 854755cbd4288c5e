"""``distill undo INCIDENT``: take back the last change of an incident, byte for byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.platform.voice import Voice
from runbook.commands.consenting import add_consent_flags, apply_by_hash, preview_or_ask
from runbook.wizard.driver import Driver
from runbook.wizard.refusals import refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("incident", nargs="?", help="its id, or a beginning that only it has")
    add_consent_flags(parser)


def run(arguments: argparse.Namespace, root: Path, voice: Voice) -> int:
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    if not arguments.incident:
        raise refused("no_incident", "No incident was named.", "See all of them: distill incident list")
    # Without its symptom: taking back is verified by the files, and must not need the detector.
    driver = Driver.of_incident(root, arguments.incident, ())
    with driver.acting():
        driver.take_back()
    return preview_or_ask(driver, arguments, voice)
