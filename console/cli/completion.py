"""Shell completion for ``distill``, made from the command table by shtab."""

from __future__ import annotations

import argparse

from console.cli.distill import nearest
from pipeline.contracts.commands import COMMANDS
from pipeline.contracts.faults import Fault, SettingsError

SHELLS = ("bash", "zsh", "tcsh")


def script(shell: str) -> str:
    """The completion script. Raises SettingsError for a shell that shtab does not know."""
    if shell not in SHELLS:
        close = nearest(shell, SHELLS)
        raise SettingsError(
            Fault(
                "usage",
                f"There is no completion for {shell}.",
                "Nothing was written.",
                f"Try: distill --print-completion {close or 'bash'}",
            )
        )
    import shtab

    text: str = shtab.complete(_parser(), shell=shell)
    return text if text.endswith("\n") else text + "\n"


def _parser() -> argparse.ArgumentParser:
    import shtab

    parser = argparse.ArgumentParser(prog="distill", description="Distill Console")
    parser.add_argument("-C", metavar="DIR", help="the workspace").complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # shtab reads it
    parser.add_argument("--json", action="store_true", help="data for machines")
    parser.add_argument("--events", metavar="PATH", help="write the event stream there too")
    parser.add_argument("--batch", action="store_true", help="run and verify everything, for CI")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--operate", metavar="REASON", help="open the console armed")
    parser.add_argument("--profile", choices=("rich", "lean", "plain"), help="how to draw")
    parser.add_argument("--plain", action="store_true", help="numbered prompts on plain lines")
    commands = parser.add_subparsers(dest="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help)
        sub.add_argument("--json", action="store_true", help="data for machines")
        sub.add_argument("--events", metavar="PATH", help="write the event stream there too")
    return parser
