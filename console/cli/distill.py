"""The ``distill`` command: reads the global flags, then hands the work to whoever owns it.

Engine and firewall commands replace this process (``execve``), so that signals, exit codes and
pipes are theirs alone. Console commands are imported when they are called. Nothing heavier than
argparse is imported before it is known what was asked, and nothing of the engine ever is:
``distill``, ``distill status`` and ``distill doctor`` work while every engine module is broken.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from console.cli.commands import BATCH, BY_NAME, COMMANDS, GROUPS
from pipeline.contracts.command import Command
from pipeline.contracts.discovery import (
    EngineChoice,
    engine_argv,
    find_workspace,
    firewall_argv,
    firewall_environment,
)
from pipeline.contracts.faults import ExitCode, SettingsError, engine_not_started
from pipeline.contracts.nearest import nearest
from pipeline.contracts.untrusted import visible
from pipeline.platform import program, streams
from pipeline.platform.command_line import parser_of
from pipeline.platform.voice import Voice, speak

# Flags of the console that open it without its name.
_DASHBOARD_FLAGS = tuple(each.flags[0] for each in BY_NAME["console"].arguments)
_OWN_FLAGS = ("-C", "--trust", "--json", "--events", "--batch", "--help", "--version", "--print-completion")
_GLOBAL_FLAGS = (*_OWN_FLAGS, *_DASHBOARD_FLAGS)


@dataclass
class Asked:
    """The command line, sorted: global flags before the command, the rest as it was."""

    name: str | None = None
    rest: list[str] = field(default_factory=list)
    directory: str | None = None
    trust: str | None = None
    json: bool = False
    events: str | None = None
    wants_help: bool = False
    wants_version: bool = False


def entry() -> NoReturn:
    """Entry point of the installed script. It does not come back."""
    program.begin()
    program.leave(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run ``distill argv`` and return its exit code; a handed-over command never returns."""
    if argv[:1] == ["--complete"]:
        return _complete(argv[1:])
    return speak(
        lambda: _dispatch(sort_arguments(argv)),
        who="The console",
        kept_safe="Runs are detached and go on; no file was changed by it.",
    )


def sort_arguments(argv: Sequence[str]) -> Asked:
    """Tell global flags, command and the command's own arguments apart.

    ``-C`` and ``--trust`` are taken out wherever they stand (before a ``--``), because the workspace and
    what of it is trusted must be known to choose the engine. Raises SettingsError for an unknown flag
    before the command.
    """
    asked = Asked()
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            asked.rest += [word, *words]
            break
        if word == "-C" or (word.startswith("-C") and not word.startswith("--")):
            asked.directory = word[2:] or _value_of(word, words)
        elif word == "--trust":
            asked.trust = _value_of(word, words)
        elif word.startswith("--trust="):
            asked.trust = word.partition("=")[2]
        elif asked.name is not None:
            asked.rest.append(word)
        elif not word.startswith("-"):
            asked.name = word
        elif word == "--json":
            asked.json = True
        elif word == "--events":
            asked.events = _value_of(word, words)
        elif word.startswith("--events="):
            asked.events = word.partition("=")[2]
        elif word in ("-h", "--help"):
            asked.wants_help = True
        elif word == "--version":
            asked.wants_version = True
        elif word == "--print-completion":
            asked.name, asked.rest = "completion", [_value_of(word, words)]
        elif word == BATCH.name:
            asked.name = BATCH.name
        elif word.split("=")[0] in _DASHBOARD_FLAGS:
            asked.name, asked.rest = "console", [word]
        else:
            raise _usage(f"There is no flag {word}.", nearest(word, _GLOBAL_FLAGS))
    if asked.directory is not None:
        asked.directory = str(Path(asked.directory).expanduser().absolute())
    return asked


def _value_of(flag: str, words: list[str]) -> str:
    if not words:
        raise _usage(f"{flag} needs a value.", "")
    return words.pop(0)


def _complete(words: Sequence[str]) -> int:
    """What a shell asks at every press of TAB. A person sees none of it, so nothing is ever said."""
    streams.prepare()
    try:
        from console.cli.completion import answer

        for line in answer(words[0], words[1:]):
            Voice().out(line)
    except Exception:  # noqa: BLE001 - a broken workspace or runbook completes nothing
        return ExitCode.NOT_EVALUABLE
    streams.end()
    return ExitCode.OK


def _dispatch(asked: Asked) -> int:
    if asked.wants_help and asked.name is None:
        Voice().out(help_text().rstrip())
        return ExitCode.OK
    if asked.wants_version:
        from importlib.metadata import version

        Voice().out(f"distill {version('distill-console')}")
        return ExitCode.OK
    name = asked.name or "console"
    command = BATCH if name == BATCH.name else BY_NAME.get(name)
    if command is None:
        raise _usage(f"There is no command {name}.", nearest(name, BY_NAME))
    if asked.wants_help:
        asked.rest.insert(0, "--help")
    if asked.trust is not None:
        from pipeline.platform.engine_choice import TRUST_VARIABLE

        os.environ[TRUST_VARIABLE] = asked.trust  # for whatever this starts, too
    if command.owner in ("engine", "firewall"):
        return _hand_over(command, asked)
    arguments = parser_of(command).parse_args(asked.rest)
    voice = Voice(asked.directory, asked.json or arguments.json, arguments.events or asked.events, BY_NAME)
    module = importlib.import_module(command.module_name)
    program.imported()
    return int(module.run(arguments, voice))


def _hand_over(command: Command, asked: Asked) -> int:
    """Become the engine or the firewall. Only a failure to do so comes back."""
    helps = any(word in ("-h", "--help") for word in asked.rest)
    arguments = list(asked.rest)
    root: Path | None = None
    try:
        root = find_workspace(asked.directory)
        arguments = ["-C", str(root), *arguments]
    except SettingsError:
        if command.needs_workspace and not helps:
            raise
        if asked.directory is not None:
            arguments = ["-C", asked.directory, *arguments]
    if asked.events is not None:
        arguments = ["--events", asked.events, *arguments]
    if asked.json:
        arguments = ["--json", *arguments]
    if command.owner == "firewall":
        argv, environment = firewall_argv(arguments), firewall_environment()
    else:
        choice = _engine_for(command, asked, root, helps=helps)
        argv, environment = engine_argv([command.name, *arguments]), choice.environment()
    streams.end()
    try:
        os.execve(argv[0], argv, environment | streams.encoding_for_children())  # noqa: S606 - no shell
    except OSError as error:
        raise engine_not_started(argv[0], error) from error


def _engine_for(command: Command, asked: Asked, root: Path | None, *, helps: bool) -> EngineChoice:
    """The engine that carries the command out; whoever would change something with one that is not trusted
    is asked first. Raises TrustNeededError.
    """
    if root is None:
        return EngineChoice("installed", None, "no workspace")
    from pipeline.platform.engine_choice import choose_engine  # only who hands over has to know

    choice = choose_engine(root)
    starts_programs = command.name == "release-freeze"
    if helps or not (choice.untrusted or starts_programs):
        return choice
    voice = Voice(asked.directory, asked.json)
    if command.changes(parser_of(command).parse_args(asked.rest)):
        from pipeline.platform.trust_question import settle_trust

        settle_trust(root, voice, programs=starts_programs)
        return choose_engine(root)
    voice.note(
        f"{choice.untrusted}: the installed engine answers. Look at it: distill trust {visible(str(root))}"
    )
    return choice


def help_text() -> str:
    """``distill --help``: every command by group, from the one table."""
    width = max(len(command.name) for command in COMMANDS)
    lines = [
        "usage: distill [-C DIR] [--json] [--events PATH|-] [COMMAND …]",
        "",
        "Run, watch and repair a pipeline that distils agents' run logs into training data.",
        "Without a command: the console, or one screen of text where there is no terminal.",
    ]
    for group, title in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [
            f"  {command.name:<{width}}  {command.help}" for command in COMMANDS if command.group == group
        ]
    lines += [
        "",
        "Flags, before or after the command:",
        "  -C DIR                  the workspace (default: DISTILL_WORKSPACE, then upwards from here)",
        "  --trust DIGEST          for this call, trust the workspace's own code if it has this digest",
        "  --json                  data for machines on standard output",
        "  --events PATH|-         write the event stream there too",
        "  --batch                 run and verify everything without a screen; --batch --help says more",
        "  --operate REASON        open the console armed, for 15 minutes",
        "  --profile rich|lean     how to draw; --plain for numbered prompts (default: distill doctor)",
        "  --version, --help       distill COMMAND --help says more",
        "",
    ]
    return "\n".join(lines)


def _usage(what_happened: str, close: str) -> SettingsError:
    do_next = f"Did you mean: distill {close}" if close else "See all of them: distill --help"
    return SettingsError.of("usage", what_happened, "Nothing was read or written.", do_next)
