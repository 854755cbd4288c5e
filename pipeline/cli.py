"""The engine's command line: parse, call, exit code.

Each command lives in ``pipeline/commands/`` and is imported only when it is called, so that a
broken exporter does not keep ``score`` from running.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from pipeline.commands.context import CommandContext
from pipeline.contracts.commands import ENGINE_BY_NAME
from pipeline.contracts.discovery import is_of_a_workspace
from pipeline.contracts.faults import CHUNKS_KEPT, ExitCode
from pipeline.contracts.symptoms import ENGINE_DOES_NOT_START
from pipeline.platform import program
from pipeline.platform.command_line import parser_of
from pipeline.platform.voice import BROKEN_CODE, Voice, speak

_OF_THE_WORKSPACE = (
    "The workspace runs its own engine; the wizard restores the file: "
    f"distill runbook open {ENGINE_DOES_NOT_START}"
)


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    return speak(
        lambda: _run(argv),
        who="The engine",
        kept_safe=CHUNKS_KEPT,
        broken_code=_OF_THE_WORKSPACE if is_of_a_workspace() else BROKEN_CODE,
    )


def _run(argv: Sequence[str]) -> int:
    command = ENGINE_BY_NAME.get(argv[0]) if argv else None
    if command is None or command.owner != "engine":
        names = ", ".join(name for name, each in ENGINE_BY_NAME.items() if each.owner == "engine")
        Voice().note(f"usage: python -m pipeline COMMAND …   ({names})")
        return ExitCode.USAGE
    arguments = parser_of(command).parse_args(argv[1:])
    context = CommandContext(arguments.directory, arguments.json, arguments.events, argv=tuple(argv))
    module = importlib.import_module(command.module_name)
    program.imported()
    return context.end(int(module.run(arguments, context)))
