"""The commands of the engine and of the firewall, as data.

They run as ``python -P -m pipeline NAME …`` and ``python -P -m pipeline.firewall …``; the console
knows them by this table alone and never imports what carries them out.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.command import Argument, Command, always, arg, unless, where, within
from pipeline.contracts.faults import ExitCode

MIN_RUNS, DEFAULT_RUNS, MAX_RUNS = 2, 4, 32
FORMAT_NAMES = (
    "trl-conversational",
    "trl-conversational-text",
    "trl-prompt-completion",
    "trl-preference",
    "trl-preference-text",
    "trl-preference-plain",
    "trl-unpaired",
    "trl-unpaired-text",
    "chat-jsonl",
    "openai-preference",
    "axolotl",
    "axolotl-preference",
    "llama-factory",
    "llama-factory-alpaca",
    "llama-factory-ranking",
    "llama-factory-kto",
)
WALLS = ("label", "lineage", "content", "fidelity", "readable")

_FAILED = ExitCode.CHECK_FAILED
_NOT_EVALUATED = ExitCode.NOT_EVALUATED
_BREACH = ExitCode.FIREWALL_BREACH
_LOCKED = ExitCode.LOCKED
_UNTRUSTED = ExitCode.APPROVAL_NEEDED
_RUN_EXITS = (_FAILED, _NOT_EVALUATED, _BREACH, _LOCKED)
_CHANGE_EXITS = (*_RUN_EXITS, _UNTRUSTED)

RECORDED_AT = arg("--recorded-at", metavar="TIME", help="the run's clock value, ISO 8601 in UTC")
ALLOW_EMPTY = arg("--allow-empty", action="store_true", help="let an export that had rows become empty")
ALLOW_SHRINK = arg(
    "--allow-shrink", action="store_true", help="let an export lose more rows than [export] max_shrink, once"
)
RUN_ARGUMENTS = (
    arg("--workers", type=int, metavar="N", help="processes (default: settings, else one a CPU)"),
    arg("--chunk-bytes", metavar="SIZE", help="size of a chunk, such as 64KiB (default: settings)"),
    arg("--executor", default="processes", metavar="NAME", help="processes, or dask://HOST:PORT"),
    RECORDED_AT,
    arg("--no-cache", action="store_true", help="start from scratch: trust no finished chunk"),
    ALLOW_EMPTY,
    ALLOW_SHRINK,
)
_EXPORT_ARGUMENTS = (
    RECORDED_AT,
    ALLOW_EMPTY,
    ALLOW_SHRINK,
    arg(
        "--format",
        action="append",
        default=[],
        metavar="NAME",
        completes="format",
        help="write the standing exports in a trainer's format instead (repeatable; list: help)",
    ),
)


def _export(name: str, help: str) -> Command:  # noqa: A002
    module = "pipeline.commands.export"
    return Command(
        name, "run", help, "engine", _EXPORT_ARGUMENTS, exits=_CHANGE_EXITS, module=module, changes=always
    )


def _action(meaning: str, *choices: str) -> Argument:
    return arg("action", choices=choices, help=meaning)


ENGINE_COMMANDS: tuple[Command, ...] = (
    Command(
        "init",
        "start",
        "Make a workspace here or in DIR.",
        "engine",
        (arg("dir", nargs="?", metavar="DIR", completes="directory", help="where (default: -C, else here)"),),
        needs_workspace=False,
    ),
    Command(
        "config",
        "start",
        "Show each setting and where its value came from.",
        "engine",
        (_action("print each value and where it came from", "show"),),
        example=("show",),
    ),
    Command(
        "streams",
        "start",
        "Check what the stream settings make of the source lines; draft a stream for a log.",
        "engine",
        (
            _action(
                "check: read every line and say what becomes of it; "
                "suggest: draft the stream for a log that none reads, as TOML, 1 when it maps no line",
                "check",
                "suggest",
            ),
            arg("file", nargs="?", metavar="FILE", completes="file", help="suggest: the log to draft from"),
            arg("--stream", metavar="NAME", completes="stream", help="this stream only"),
            arg(
                "--fail-on",
                choices=("never-found",),
                help="end with 1 where no row has a field that a rule asks for",
            ),
        ),
        example=("check",),
        exits=(_FAILED, ExitCode.WARNINGS),
    ),
    Command(
        "schema",
        "start",
        "Export JSON Schema; check golden rows and the lock.",
        "engine",
        (
            _action(
                "export: JSON Schema of each, on standard output or into --dir; "
                "check: try the golden rows and compare the lock, 1 when one of them fails; "
                "lock: pin the schemas as they are, refused when one changed under its version; "
                "reference: the reference page, in Markdown",
                "export",
                "check",
                "lock",
                "reference",
            ),
            arg("--dir", metavar="DIR", completes="directory", help="export: one file a schema goes there"),
        ),
        needs_workspace=False,
        example=("check",),
        exits=(_FAILED, _NOT_EVALUATED, _UNTRUSTED),
        changes=where("action", "lock"),
    ),
    Command(
        "run-all",
        "run",
        "Materialise, score and export, with receipts.",
        "engine",
        RUN_ARGUMENTS,
        exits=_CHANGE_EXITS,
        changes=always,
    ),
    Command(
        "materialize",
        "run",
        "P2: source lines to evidence.",
        "engine",
        (
            *RUN_ARGUMENTS,
            arg("--dry-run", action="store_true", help="write nothing; print counts, reasons, samples"),
            arg(
                "--stream",
                metavar="NAME",
                completes="stream",
                help="look at one stream; the others stay as they are",
            ),
        ),
        exits=(*_CHANGE_EXITS, ExitCode.WARNINGS),
        changes=unless("dry_run"),
    ),
    Command(
        "score",
        "run",
        "P3: evidence to verdicts.",
        "engine",
        (
            RECORDED_AT,
            arg(
                "--what-if",
                action="append",
                metavar="NAME=VALUE",
                help="write nothing; print which rows this threshold would move, such as partial_at=0.7",
            ),
        ),
        example=("--what-if", "partial_at=0.7"),
        exits=_CHANGE_EXITS,
        changes=unless("what_if"),
    ),
    _export("export", "P4: all three exports; --format for trainers' formats."),
    _export("export-rag", "P4: the RAG playbooks alone."),
    _export("export-sft", "P4: the SFT rows alone."),
    _export("export-preference", "P4: the preference pairs alone."),
    Command(
        "card",
        "run",
        "Write the dataset card beside the exports.",
        "engine",
        exits=(_UNTRUSTED,),
        changes=always,
    ),
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
            arg("--no-append", action="store_true", help="leave the baselines alone, whatever the verdict"),
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
            _action(
                "new normal, seen once, show; measure: the drift table as it is now, writing nothing; "
                "adopt: take journals that were changed as they are",
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
        "Archive the replay log, verified before a byte goes.",
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
            _action("the phase map in [phases] of distill.toml", "phases"),
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
        "Write the page for whoever arrives cold.",
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

ENGINE_BY_NAME = {command.name: command for command in ENGINE_COMMANDS}
