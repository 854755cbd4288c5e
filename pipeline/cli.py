"""The engine's command line: parse, call, exit code.

Each command lives in ``pipeline/commands/`` and is imported only when it is called, so that a
broken exporter does not keep ``score`` from running.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from pipeline.commands.context import CommandContext
from pipeline.contracts.commands import BY_NAME, COMMANDS
from pipeline.contracts.faults import ExitCode
from pipeline.platform.voice import Voice, speak

# Commands that share a module with another one.
_MODULE_OF = {"export-rag": "export", "export-sft": "export", "export-preference": "export"}


def build_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, with the options that all commands share."""
    parser = argparse.ArgumentParser(prog=f"distill {name}", description=BY_NAME[name].help)
    parser.set_defaults(command=name)
    parser.add_argument("-C", dest="directory", metavar="DIR", help="the workspace (default: found upwards)")
    parser.add_argument("--json", action="store_true", help="print data as JSON")
    parser.add_argument("--events", metavar="PATH|-", help="write the event stream there too")
    _module(name).add_arguments(parser)
    return parser


def _module(name: str):  # type: ignore[no-untyped-def]  # modules are duck-typed: add_arguments and run
    module = _MODULE_OF.get(name, name).replace("-", "_")
    return importlib.import_module(f"pipeline.commands.{module}")


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    return speak(
        lambda: _run(argv),
        who="The engine",
        kept_safe="The last outputs are in place; finished chunks are kept.",
    )


def _run(argv: Sequence[str]) -> int:
    engine_commands = [command.name for command in COMMANDS if command.owner == "engine"]
    if not argv or argv[0] not in engine_commands:
        Voice().note(f"usage: python -m pipeline COMMAND …   ({', '.join(engine_commands)})")
        return ExitCode.USAGE
    arguments = build_parser(argv[0]).parse_args(argv[1:])
    context = CommandContext(arguments.directory, arguments.json, arguments.events, tuple(argv))
    return int(_module(argv[0]).run(arguments, context))
