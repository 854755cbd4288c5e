"""``distill undo INCIDENT``: take back the last change of an incident, byte for byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from runbook.commands.consenting import add_consent_flags, apply_by_hash, prepare, preview_or_ask
from runbook.probes.workspace import Workspace
from runbook.tell.voice import Voice
from runbook.wizard.incident import load_incident
from runbook.wizard.refusals import refused
from runbook.wizard.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("incident", nargs="?", help="its id, or a beginning that only it has")
    add_consent_flags(parser)


def run(arguments: argparse.Namespace, root: Path, voice: Voice) -> int:
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    if not arguments.incident:
        raise refused("no_incident", "No incident was named.", "See all of them: distill incident list")
    incident = load_incident(root, arguments.incident)
    # Without its symptom: taking back is verified by the files, and must not need the detector.
    session = Session(Workspace(root), incident, None)
    with session.lease():
        session.plan_taking_back()
        prepare(session)
    return preview_or_ask(session, arguments, voice)
