"""``docs/commands.md`` and the man page, from the one table of commands.

Help, completion and both pages say the same, because each is made from the arguments as they are declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from console.cli.commands import BATCH, COMMANDS, GROUPS
from pipeline.contracts.command import Argument, Command
from pipeline.platform.command_line import SHARED

ALL = (*COMMANDS, BATCH)


def page() -> str:
    """The Markdown page: a table for each group, then what each command takes."""
    lines = [
        "# Commands",
        "",
        "Made from the table of commands by `make pages`. `distill COMMAND --help` says the same in",
        "a terminal, and so does `man distill` (`docs/man/distill.1`, which the wheel installs). `-C DIR`",
        "picks the workspace (default: `DISTILL_WORKSPACE`, then upwards from here). Data goes to stdout,",
        "narration to stderr; the [exit codes](exit-codes.md) are the same everywhere.",
    ]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", "", "| command | what it does |", "|---|---|"]
        lines += [
            f"| [`{_called(each)}`](#{_anchor(each)}) | {each.help} |" for each in ALL if each.group == group
        ]
    lines += ["", "## Options of every command", "", *_table(SHARED)]
    for each in ALL:
        lines += ["", f"## {_called(each)}", "", each.help, "", f"`{usage(each)}`", *_details(each)]
    return "\n".join(lines) + "\n"


def _details(command: Command) -> Iterator[str]:
    if command.arguments:
        yield ""
        yield from _table(command.arguments)
    if command.example:
        yield ""
        yield f"Example: `{' '.join((_called(command), *command.example))}`"


def _table(arguments: Sequence[Argument]) -> list[str]:
    rows = [f"| {_cell(spelled(each))} | {_cell(said(each), code=False)} |" for each in arguments]
    return ["| option | what it does |", "|---|---|", *rows]


def _cell(text: str, *, code: bool = True) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if code else escaped.replace("<", "&lt;")


def _called(command: Command) -> str:
    return f"distill {command.name}"


def _anchor(command: Command) -> str:
    return re.sub(r"[^\w\- ]", "", _called(command)).replace(" ", "-")


def spelled(argument: Argument) -> str:
    """``--limit N``, ``RUN_ID``, ``--quiet, -q``."""
    value = _value(argument)
    if argument.is_positional:
        return value
    flags = ", ".join(argument.flags)
    return f"{flags} {value}" if argument.takes_value else flags


def _value(argument: Argument) -> str:
    if argument.options.get("metavar"):
        return str(argument.options["metavar"])
    if argument.choices:
        return "|".join(argument.choices)
    return argument.flags[0].lstrip("-").replace("-", "_").upper()


def said(argument: Argument) -> str:
    """The help text, with its default filled in as argparse does."""
    return argument.help.replace("%(default)s", str(argument.options.get("default"))).replace("%%", "%")


def usage(command: Command) -> str:
    return " ".join((_called(command), *map(_in_usage, command.arguments)))


def _in_usage(argument: Argument) -> str:
    optional = not argument.is_positional or argument.options.get("nargs") in ("?", "*")
    if argument.is_positional and argument.options.get("required") is False:
        optional = True
    text = argument.flags[0] if not argument.is_positional else _value(argument)
    if not argument.is_positional and argument.takes_value:
        text = f"{text} {_value(argument)}"
    if argument.is_repeatable:
        text = f"{text} ..."
    if argument.options.get("required") or not optional:
        return text
    return f"[{text}]"


# The man page


def man_page() -> str:
    """``distill.1``, in the macros of man(7) alone."""
    lines = [
        '.\\" Made from the table of commands by `make pages`.',
        '.TH DISTILL 1 "" "distill\\-console" "Distill Console"',
        ".SH NAME",
        "distill \\- run, watch and repair a pipeline that distils agents' run logs into training data",
        ".SH SYNOPSIS",
        ".B distill",
        "[\\-C DIR] [\\-\\-json] [\\-\\-events PATH|\\-] [COMMAND ...]",
        ".SH DESCRIPTION",
        "Without a command: the console, or one screen of text where there is no terminal.",
        "Data goes to standard output, narration to standard error.",
        ".SH OPTIONS",
        *_entries(SHARED),
    ]
    for group, title in GROUPS.items():
        lines.append(f".SH {_roff(title.upper())}")
        for each in ALL:
            if each.group == group:
                lines += [f".SS {_roff(_called(each))}", _text(each.help), ".PP", f".B {_roff(usage(each))}"]
                lines += _entries(each.arguments)
    lines += [".SH EXIT STATUS", *_codes(), ".SH ENVIRONMENT"]
    lines += [".TP", ".B DISTILL_WORKSPACE", "The workspace, where no \\-C names one."]
    lines += [".TP", ".B DISTILL_DEBUG", "1: show the whole trace of a bug."]
    return "\n".join(lines) + "\n"


def _entries(arguments: Sequence[Argument]) -> Iterator[str]:
    for each in arguments:
        yield ".TP"
        yield f".B {_roff(spelled(each))}"
        yield _text(said(each))


def _codes() -> Iterator[str]:
    from tests.docs.exit_codes_page import MEANINGS

    for code, meaning in MEANINGS.items():
        yield ".TP"
        yield f".B {int(code)}"
        yield _text(meaning)


def _roff(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")


def _text(text: str) -> str:
    """A line of text: no control line, whatever it begins with."""
    escaped = _roff(text.replace("`", ""))
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
