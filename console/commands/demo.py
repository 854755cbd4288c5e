"""``distill demo``: build a workspace of its own and open the console on it, a run in progress."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from console.cli.commands import WATCHED_ROWS
from console.terminal.terminal_facts import gather
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.plurals import plural
from pipeline.contracts.shell_words import joined
from pipeline.platform import streams
from pipeline.platform.detached import run_in_front
from pipeline.platform.engine_choice import engine_to_change
from pipeline.platform.voice import Voice

# Lines that make a run last some seconds, long enough to be watched.
_ARMED_BECAUSE = "demo"


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    from console.demo.build import build_workspace
    from console.demo.sources import choose_sources

    watched = not arguments.batch and gather().is_terminal
    rows = arguments.rows
    if rows is None:
        rows = WATCHED_ROWS if watched and arguments.sources is None else 0
    sources = choose_sources(arguments.sources).with_generated_rows(rows)
    root = build_workspace(arguments.dir, sources)
    more = f" and {rows} generated lines" if rows > 0 else ""
    voice.note(f"Built {root} from {plural(len(sources.files), 'file')} of {sources.directory}{more}")
    if arguments.batch:
        return _become_the_run(root, voice)
    return _watch(root) if watched else _run_and_say(root, voice)


def _become_the_run(root: Path, voice: Voice) -> int:
    """Replace this process by ``run-all``, so that its signals and exit code are the run's own."""
    flags = ["--json"] if voice.json else []
    if voice.events_place is not None:
        flags += ["--events", voice.events_place]
    argv, environment = _run_all(root, flags)
    streams.end()
    os.execve(argv[0], argv, environment | streams.encoding_for_children())  # noqa: S606 - an argument list, no shell


def _run_and_say(root: Path, voice: Voice) -> int:
    """Without a terminal: the run in the foreground, then what the dashboard would show."""
    from console.cli import distill

    argv, environment = _run_all(root, [])
    # Its table goes to stderr: with --json, stdout has to hold the status and nothing else.
    code = run_in_front(argv, env=environment, output=sys.stderr.fileno())
    if code == 0:
        code = distill.main(["-C", str(root), "status", *(["--json"] if voice.json else [])])
        voice.note(f"In a terminal this opens the dashboard: {joined(['distill', '-C', str(root)])}")
    return code


def _watch(root: Path) -> int:
    """The console, armed, on a run that was just started and that outlives it."""
    from console.cli import distill
    from console.control.jobs import start_job

    start_job(root, ["run-all"])
    return distill.main(["-C", str(root), "--operate", _ARMED_BECAUSE])


def _run_all(root: Path, flags: list[str]) -> tuple[list[str], dict[str, str]]:
    return engine_argv(["run-all", "-C", str(root), *flags]), engine_to_change(root).environment()
