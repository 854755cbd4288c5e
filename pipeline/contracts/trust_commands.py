"""The commands by which one trusts: they look, judge, compare, explain and release."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.command import Command, action, always, arg, unless, where, within
from pipeline.contracts.faults import ExitCode

MIN_RUNS, DEFAULT_RUNS, MAX_RUNS = 2, 4, 32
WALLS = ("label", "lineage", "content", "fidelity", "readable")

_FAILED = ExitCode.CHECK_FAILED
_NOT_EVALUATED = ExitCode.NOT_EVALUATED
_BREACH = ExitCode.FIREWALL_BREACH
_LOCKED = ExitCode.LOCKED
_UNTRUSTED = ExitCode.APPROVAL_NEEDED

TRUST_COMMANDS: tuple[Command, ...] = (
    Command(
        "firewall",
        "trust",
        "Scan an SFT file; exit 10 on any forbidden row.",
        "firewall",
        (
            arg(
                "path",
                nargs="?",
                metavar="PATH",
                completes="file",
                help="the file (default: the live SFT export)",
            ),
            arg("--watch", action="store_true", help="stay on; report changes within a second"),
            arg(
                "--evidence-dir",
                "--evidence",
                action="append",
                default=[],
                metavar="DIR",
                completes="file",
                help="evidence to judge by: a folder or a file; repeatable (default: data/evidence)",
            ),
            arg(
                "--scored-dir",
                "--scored",
                action="append",
                default=[],
                metavar="DIR",
                completes="file",
                help="scored runs to judge by: a folder or a file; repeatable (default: data/scored-runs)",
            ),
            arg(
                "--walls",
                metavar="LIST",
                default=",".join(WALLS),
                help="which walls stand (default: all). Fewer are for measuring, not for trust.",
            ),
            arg(
                "--keep",
                metavar="FILE",
                completes="file",
                help="keep there what a look found clear, and go on from it when the files have grown",
            ),
        ),
        exits=(_BREACH, _NOT_EVALUATED),
    ),
    Command(
        "acceptance",
        "trust",
        "P6: check the engine in use by 22 invariants on the fixture.",
        "engine",
        (
            arg(
                "--check",
                action="append",
                metavar="ID",
                completes="invariant",
                help="this invariant alone; may be repeated. Writes no report",
            ),
            arg("--keep", action="store_true", help="keep the temp root even when all is well"),
        ),
        example=("--check", "A09"),
        exits=(_FAILED, _NOT_EVALUATED, _UNTRUSTED),
        changes=always,
    ),
    Command(
        "audit-full",
        "trust",
        "P8: recompute every claim on the real data, and show drift.",
        "engine",
        (
            arg(
                "--check",
                action="append",
                metavar="ID",
                completes="check",
                help="this check alone; may be repeated. Writes no report",
            ),
            arg(
                "--acceptance-report",
                metavar="PATH",
                completes="file",
                help="use this report of `distill acceptance` instead of running it again",
            ),
            arg("--no-append", action="store_true", help="change no baseline, whatever the verdict"),
        ),
        example=("--check", "P3.distribution"),
        exits=(_FAILED, _NOT_EVALUATED, _BREACH, _LOCKED, _UNTRUSTED),
        changes=always,
    ),
    Command(
        "determinism",
        "trust",
        "Run the pipeline several ways from scratch and compare.",
        "engine",
        (
            arg(
                "--runs",
                type=within(MIN_RUNS, MAX_RUNS),
                default=DEFAULT_RUNS,
                metavar="N",
                help=f"how many, {MIN_RUNS} to {MAX_RUNS} (default: %(default)s); "
                "from the third on, each is killed and resumed",
            ),
            arg("--no-report", action="store_true", help="leave the last report as it is"),
        ),
        example=("--runs", "2", "--no-report"),
        exits=(_FAILED, _NOT_EVALUATED, _UNTRUSTED),
        changes=always,
    ),
    Command(
        "explain",
        "trust",
        "Show one run's evidence and the rule that decided.",
        "engine",
        (
            arg(
                "run_id",
                metavar="RUN_ID",
                completes="run",
                help="a run id, such as airline/0123456789abcdef",
            ),
        ),
        example=("no/such-run",),
        exits=(_FAILED,),
    ),
    Command(
        "baseline",
        "trust",
        "Accept or dismiss a metric that moved; list what is normal.",
        "engine",
        (
            action(
                "accept: as the new normal; dismiss: this once; list: show; "
                "measure: the drift table as it is now, writing nothing; "
                "adopt: accept changed journals as they are",
                "accept",
                "dismiss",
                "list",
                "measure",
                "adopt",
            ),
            arg(
                "--metric",
                action="append",
                default=[],
                metavar="NAME",
                help="repeatable; default: all that warn",
            ),
            arg("--note", default="", metavar="WHY", help="why; needed for a decision"),
        ),
        example=("measure",),
        exits=(_FAILED, _UNTRUSTED),
        changes=where("action", "accept", "dismiss"),
    ),
    Command(
        "replay",
        "trust",
        "P7: put a task to a model with the playbooks that fit it.",
        "engine",
        (
            arg("--task", required=True, metavar="TEXT", help="what is to be done, in words"),
            arg("--local-only", action="store_true", help="never ask the escalation model"),
            arg("--no-log", action="store_true", help="only ask and judge; keep no row of it"),
            arg("--model", metavar="NAME", help="extractive, or openai:NAME at [replay] base_url"),
        ),
        example=("--task", "cancel a flight", "--no-log", "--local-only"),
        exits=(_FAILED, _UNTRUSTED),
        changes=unless("no_log"),
    ),
    Command(
        "rotate-replay-log",
        "trust",
        "Archive the replay log, verified before anything is deleted.",
        "engine",
        (arg("--force", action="store_true", help="rotate however small the log is"),),
        exits=(_FAILED, _LOCKED, _UNTRUSTED),
        changes=always,
    ),
    Command(
        "release-freeze",
        "trust",
        "P9: six gates and a manifest; nothing is tagged.",
        "engine",
        (arg("--tag", metavar="NAME", help="default: the next free version after the last-good tag"),),
        exits=(_FAILED, _NOT_EVALUATED, _BREACH, _LOCKED, _UNTRUSTED),
        changes=always,
    ),
    Command(
        "release",
        "trust",
        "Show or record which commit stands for which phase.",
        "engine",
        (
            action("the phase map in [phases] of distill.toml", "phases"),
            arg(
                "--set",
                action="append",
                default=[],
                metavar="P4=COMMIT",
                dest="assignments",
                help="repeatable",
            ),
            arg(
                "--all",
                metavar="COMMIT",
                dest="for_all",
                help="every phase of P0 to P8 that is not recorded yet: where one commit holds them all",
            ),
        ),
        example=("phases",),
        exits=(_UNTRUSTED,),
        changes=lambda given: bool(given.assignments or given.for_all),
    ),
    Command(
        "handoff",
        "trust",
        "Write the hand-off page for whoever is new to the workspace.",
        "engine",
        (arg("--print", action="store_true", dest="only_print", help="print the page, write nothing"),),
        example=("--print",),
        exits=(_UNTRUSTED,),
        changes=unless("only_print"),
    ),
    Command(
        "verify-export",
        "trust",
        "Check a copy of the exports against its manifest.",
        "engine",
        (
            arg(
                "folder",
                type=Path,
                metavar="DIR",
                completes="directory",
                help="the exports, with their manifest.json",
            ),
        ),
        needs_workspace=False,
        example=("exports",),
        exits=(_FAILED,),
    ),
    Command(
        "lineage",
        "trust",
        "Trace a row from export to the bytes of its source line.",
        "engine",
        (
            arg(
                "id",
                metavar="ID",
                completes="run",
                help="a row's id, a run id, or FILE:LINE of a row or source",
            ),
            arg(
                "--bytes",
                action="store_true",
                dest="raw",
                help="write the source line's very bytes and nothing else (not to a terminal)",
            ),
        ),
        example=("exports/sft/instruction_response.jsonl:1",),
        exits=(_FAILED,),
    ),
)
