"""From commands as data to argparse: the one parser that every ``main`` and the help is made of."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from pipeline.contracts.command import Argument, Command, arg
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.nearest import nearest

# What every command takes, wherever it stands on the line.
SHARED: tuple[Argument, ...] = (
    arg(
        "-C",
        dest="directory",
        metavar="DIR",
        completes="directory",
        help="the workspace (default: DISTILL_WORKSPACE, then upwards from here)",
    ),
    arg("--json", action="store_true", help="print data as JSON"),
    arg("--events", metavar="PATH|-", completes="file", help="write the event stream there too"),
)


class CommandParser(argparse.ArgumentParser):
    """Raises SettingsError for a slip, which names the nearest thing that exists."""

    def error(self, message: str) -> NoReturn:
        raise usage_error(_in_words(message), self.prog, self._nearest(message))

    def _nearest(self, message: str) -> str:
        start, _, words = message.partition(": ")
        if start == "unrecognized arguments":
            return nearest(words.split()[0].partition("=")[0], self._option_string_actions)
        chosen = _CHOICE.search(message)
        return nearest(chosen["value"], re.findall(_WORD, chosen["choices"])) if chosen else ""


_WORD = r"[\w][\w.-]*"
_VALUE = re.compile(r"argument (?P<name>[^:]+): invalid (?P<kind>\w+) value: (?P<value>.+)\Z", re.DOTALL)
_CHOICE = re.compile(r": invalid choice: '(?P<value>.*)' \(choose from (?P<choices>.*)\)\Z", re.DOTALL)
_KINDS = {"int": "a whole number", "float": "a number", "number": "a number", "Path": "a path"}


def _in_words(message: str) -> str:
    """What argparse says of a value, in words of the command line and not of Python's types."""
    found = _VALUE.match(message)
    if found is None or found["kind"] not in _KINDS:
        return message
    return f"{found['name']} takes {_KINDS[found['kind']]}, and {found['value']} is none"


def usage_error(message: str, program: str, close: str = "") -> SettingsError:
    hint = f"Did you mean {close}?  " if close else ""
    what_happened = f"{program}: {message}"
    return SettingsError.of("usage", what_happened, "Nothing was read or written.", f"{hint}{program} --help")


def parser_of(command: Command) -> argparse.ArgumentParser:
    """The parser of one command, with the options that all commands share."""
    codes = ", ".join(str(int(code)) for code in sorted({0, 2, 3, *command.exits}))
    example = f"example: distill {' '.join((command.name, *command.example))}\n" if command.example else ""
    parser = CommandParser(
        prog=f"distill {command.name}",
        description=command.help,
        epilog=f"{example}exit codes: {codes} (docs/exit-codes.md)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command.name)
    for argument in (*SHARED, *command.arguments):
        parser.add_argument(*argument.flags, help=argument.help, **argument.options)
    return parser
