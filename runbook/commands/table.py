"""The runbook's commands, as data: the wizards without a screen, and what an operator does by hand."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.command import Command, arg
from pipeline.contracts.faults import ExitCode

_CONSENT = (
    arg("--plan", metavar="HASH", help="apply the plan with this hash (from the preview)"),
    arg("--approve-as", metavar="NAME", help="who consents to it"),
    arg("--reason", metavar="WHY", help="why"),
)
_INCIDENT = arg("incident", nargs="?", completes="incident", help="its id, or a beginning that only it has")
_CHANGE_EXITS = (
    ExitCode.CHECK_FAILED,
    ExitCode.APPROVAL_NEEDED,
    ExitCode.VERIFICATION_FAILED,
    ExitCode.LOCKED,
)

RUNBOOK_COMMANDS: tuple[Command, ...] = (
    Command(
        "runbook",
        "repair",
        "Detect, diagnose, plan, apply: the wizards without a screen.",
        "runbook",
        (
            arg(
                "action",
                choices=("list", "detect", "diagnose", "plan", "apply", "open", "resume", "lint"),
                nargs="?",
                default="detect",
                help="what to do (default: detect)",
            ),
            arg(
                "subject",
                nargs="?",
                completes={"diagnose": "symptom", "plan": "symptom", "open": "symptom", "resume": "incident"},
                help="a symptom's id; resume: an incident's",
            ),
            arg("--full", action="store_true", help="detect: rerun what a report would answer"),
            arg("--offer", metavar="ID", help="plan: which option (default: the first)"),
            arg(
                "--answer",
                action="append",
                default=[],
                metavar="QUESTION=ANSWER",
                help="plan: answer a question of it; repeatable",
            ),
            arg("--incident", metavar="ID", completes="incident", help="plan: go on in this incident"),
            *_CONSENT,
        ),
        example=("list",),
        exits=(*_CHANGE_EXITS, ExitCode.NOT_EVALUATED, ExitCode.FIREWALL_BREACH),
    ),
    Command(
        "quarantine",
        "repair",
        "Move a contaminated export aside; previewed first.",
        "runbook",
        (
            arg(
                "file",
                nargs="?",
                completes="file",
                help="the export, from the workspace's root or from here",
            ),
            *_CONSENT,
        ),
        exits=_CHANGE_EXITS,
    ),
    Command(
        "restore",
        "repair",
        "Put files back to the last-good tag's bytes; previewed first.",
        "runbook",
        (
            arg("paths", nargs="*", metavar="PATH", completes="file", help="files or folders"),
            arg("--tag", metavar="NAME", help="another tag than the last-good one"),
            *_CONSENT,
        ),
        exits=_CHANGE_EXITS,
    ),
    Command(
        "undo",
        "repair",
        "Undo an incident's last change, byte for byte.",
        "runbook",
        (_INCIDENT, *_CONSENT),
        exits=_CHANGE_EXITS,
    ),
    Command(
        "drill",
        "repair",
        "Rehearse a repair: a fault planted in a sandbox.",
        "runbook",
        (
            arg(
                "action",
                choices=("list", "start", "check"),
                nargs="?",
                default="list",
                help="what to do (default: list)",
            ),
            arg(
                "subject",
                nargs="?",
                metavar="SYMPTOM|DIR",
                completes={"start": "drill", "check": "directory"},
                help="start: the symptom to rehearse, or one of its drills; check: the drill's workspace",
            ),
            arg(
                "--seed",
                type=int,
                metavar="N",
                help="start: the same seed plants the same fault (default: any)",
            ),
            arg(
                "--dir",
                type=Path,
                metavar="DIR",
                completes="directory",
                help="start: where to build it (default: a temporary folder)",
            ),
            arg("--no-console", action="store_true", help="start: do not open the console on it"),
        ),
        needs_workspace=False,
        exits=(ExitCode.CHECK_FAILED, ExitCode.APPROVAL_NEEDED),
    ),
    Command(
        "incident",
        "repair",
        "List, show, verify, export and prune what happened.",
        "runbook",
        (
            arg("action", choices=("list", "show", "verify", "export", "close", "prune"), help="what to do"),
            _INCIDENT,
            arg(
                "--out",
                metavar="FILE",
                completes="file",
                help="export: where to (default: ./<incident>.tar.gz)",
            ),
            arg("--plan", metavar="HASH", help="prune: apply the plan with this hash (from the preview)"),
            arg("--approve-as", metavar="NAME", help="prune: who consents to it"),
            arg("--reason", metavar="WHY", help="close: why nobody goes on with it; prune: why"),
            arg("--step", type=int, metavar="N", help="show: as it stood after N entries"),
        ),
        example=("list",),
        exits=_CHANGE_EXITS,
    ),
)
