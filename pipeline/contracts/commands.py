"""The commands of the engine and of the firewall, as data; ``trust_commands`` has those that judge.

They run as ``python -P -m pipeline NAME …`` and ``python -P -m pipeline.firewall …``; the console
knows them by this table alone and never imports what carries them out.
"""

from __future__ import annotations

from pipeline.contracts.command import Command, action, always, arg, unless, where
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.trust_commands import TRUST_COMMANDS

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
        (action("print each value and where it came from", "show"),),
        example=("show",),
    ),
    Command(
        "streams",
        "start",
        "Check what the stream settings make of the source lines; draft a stream for a log.",
        "engine",
        (
            action(
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
            action(
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
    *TRUST_COMMANDS,
)

ENGINE_BY_NAME = {command.name: command for command in ENGINE_COMMANDS}
