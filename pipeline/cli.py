"""The engine's command line: parse, call, exit code.

Each command lives in ``pipeline/commands/`` and is imported only when it is called, so that a
broken exporter does not keep ``score`` from running.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from pipeline.commands.context import CommandContext
from pipeline.contracts.commands import BY_NAME, COMMANDS
from pipeline.contracts.faults import ExitCode, Fault, OperatorError
from pipeline.contracts.untrusted import visible

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
    """Run one command and return its exit code. A bug is caught here, once, as exit 3."""
    engine_commands = [command.name for command in COMMANDS if command.owner == "engine"]
    if not argv or argv[0] not in engine_commands:
        sys.stderr.write(f"usage: python -m pipeline COMMAND …   ({', '.join(engine_commands)})\n")
        return ExitCode.USAGE
    name = argv[0]
    try:
        arguments = build_parser(name).parse_args(argv[1:])
        context = CommandContext(
            directory=arguments.directory,
            json=arguments.json,
            events_place=arguments.events,
            argv=tuple(argv),
        )
        code = int(_module(name).run(arguments, context))
        sys.stdout.flush()
        return code
    except OperatorError as error:
        for line in error.fault.as_lines():
            sys.stderr.write(line + "\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        return _bug(error)


def _bug(error: Exception) -> int:
    if os.environ.get("DISTILL_DEBUG"):
        raise error
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "unknown place"
    fault = Fault(
        code="internal_error",
        what_happened=f"The engine has a bug: {type(error).__name__}: {visible(str(error), 300)} ({place}).",
        kept_safe="The last outputs are in place; finished chunks are kept.",
        do_next="Report it with the command; DISTILL_DEBUG=1 shows the whole trace.",
    )
    for line in fault.as_lines():
        sys.stderr.write(line + "\n")
    return ExitCode.NOT_EVALUABLE
