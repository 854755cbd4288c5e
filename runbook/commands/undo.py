"""``distill undo INCIDENT``: take back the last change of an incident, byte for byte."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.change.refusals import refused
from runbook.commands.consenting import apply_by_hash, preview_or_ask
from runbook.wizard.driver import Driver


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    if not arguments.incident:
        raise refused("no_incident", "No incident was named.", "See all of them: distill incident list")
    # Without its symptom: taking back is verified by the files, and must not need the detector.
    driver = Driver.of_incident(root, arguments.incident, ())
    with driver.acting():
        driver.take_back()
    return preview_or_ask(driver, arguments, voice)
