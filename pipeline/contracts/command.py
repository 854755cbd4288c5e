"""A command of ``distill`` as data: what it is called, what it takes, who carries it out.

Each package declares its own (``pipeline/contracts/commands.py``, ``runbook/commands/table.py``,
``console/cli/commands.py``); help, completion, docs/commands.md, the man page
and the tests are made from that alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Owner = Literal["engine", "firewall", "runbook", "console"]
# What a shell can offer for a value; ``console/cli/values.py`` finds them.
Kind = Literal[
    "",
    "file",
    "directory",
    "stream",
    "run",
    "symptom",
    "incident",
    "drill",
    "check",
    "invariant",
    "format",
    "part",
]


@dataclass(frozen=True)
class Argument:
    """``flags`` are those of argparse, one bare name for a positional; so are ``options``.

    ``completes`` is what its value is, or, where an earlier word decides that, each word's own.
    """

    flags: tuple[str, ...]
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)
    completes: Kind | Mapping[str, Kind] = ""

    @property
    def is_positional(self) -> bool:
        return not self.flags[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        return self.options.get("action", "store") in ("store", "append")

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(self.options.get("choices", ()))

    @property
    def is_repeatable(self) -> bool:
        return self.options.get("action") == "append" or self.options.get("nargs") in ("*", "+")


def arg(*flags: str, help: str, completes: Kind | Mapping[str, Kind] = "", **options: Any) -> Argument:  # noqa: A002
    """An argument; ``options`` go to argparse as they are."""
    return Argument(flags, help, options, completes)


def action(meaning: str, *choices: str) -> Argument:
    """The word that says what to do, of a command that does several things."""
    return arg("action", choices=choices, help=meaning)


def always(_: argparse.Namespace) -> bool:
    return True


def where(name: str, *values: str) -> Callable[[argparse.Namespace], bool]:
    """Where the argument is one of ``values``; without any, where it is given at all."""
    return lambda arguments: getattr(arguments, name) in values if values else bool(getattr(arguments, name))


def unless(name: str) -> Callable[[argparse.Namespace], bool]:
    """Where the argument is not given."""
    return lambda arguments: not getattr(arguments, name)


@dataclass(frozen=True)
class Command:
    """``example`` is a whole call with which every command can be tried in a workspace with a run.

    ``changes`` says whether a call does more than look: then a workspace's own engine has to be trusted.
    ``exits`` are the exit codes of its own, beyond what any command may end with. ``module`` has
    ``run(arguments, voice) -> exit code``, and is imported when the command is called.
    """

    name: str
    group: str
    help: str
    owner: Owner
    arguments: tuple[Argument, ...] = ()
    needs_workspace: bool = True
    example: tuple[str, ...] = ()
    exits: tuple[int, ...] = ()
    module: str = ""
    changes: Callable[[argparse.Namespace], bool] = lambda _: False

    @property
    def module_name(self) -> str:
        package = {"engine": "pipeline"}.get(self.owner, self.owner)
        return self.module or f"{package}.commands.{self.name.strip('-').replace('-', '_')}"


def within(
    low: float, high: float, kind: Callable[[str], float] = int, unit: str = ""
) -> Callable[[str], float]:
    """A converter for argparse that takes numbers from ``low`` to ``high``."""

    def converted(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}{unit}")
        return value

    converted.__name__ = "number"  # argparse names it when the text is no number at all
    return converted
