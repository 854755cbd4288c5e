"""``distill firewall``: arguments, output, exit code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts import discovery
from pipeline.contracts.commands import ENGINE_BY_NAME
from pipeline.contracts.faults import ExitCode, OperatorError, worst
from pipeline.firewall.places import Places
from pipeline.firewall.scan import scan
from pipeline.firewall.state_events import StateEvents
from pipeline.firewall.walls import ALL_WALLS, Wall
from pipeline.firewall.watch import watch
from pipeline.platform.command_line import parser_of
from pipeline.platform.voice import Voice, speak

_PARSER = parser_of(ENGINE_BY_NAME["firewall"])


def main(argv: Sequence[str] | None = None) -> int:
    return speak(lambda: _run(_PARSER.parse_args(argv)), who="The firewall", kept_safe="Nothing was changed.")


def _run(arguments: argparse.Namespace) -> int:
    try:
        standing = tuple(Wall(name.strip()) for name in arguments.walls.split(","))
    except ValueError:
        _PARSER.error(f"--walls takes a list of {', '.join(ALL_WALLS)}")
    evidence = [Path(place).absolute() for place in arguments.evidence_dir]
    scored = [Path(place).absolute() for place in arguments.scored_dir]
    target = Path(arguments.path) if arguments.path else None
    root = _workspace(arguments.directory, needed=not (target and evidence and scored))
    places = Places.of(root, target, evidence, scored)
    events = StateEvents.open(arguments.events)
    if arguments.watch:
        if set(standing) != set(ALL_WALLS):
            _PARSER.error("a watcher has all walls standing")
        return _end(watch(places, events or (StateEvents.open("-") if arguments.json else None)), events)
    keep = Path(arguments.keep).absolute() if arguments.keep else None
    report = scan(places, standing, keep)
    if events is not None:
        events.report(report)
    if arguments.events != "-":
        Voice().out(json.dumps(report.to_dict()) if arguments.json else report.as_text().removesuffix("\n"))
    return _end(report.exit_code, events)


def _end(code: int, events: StateEvents | None) -> int:
    """``code``, or what events that were lost make of it, told."""
    if events is None or events.fault is None:
        return code
    Voice().fault(events.fault)
    return worst((code, ExitCode.NOT_EVALUABLE))


def _workspace(named: str | None, *, needed: bool) -> Path | None:
    try:
        return discovery.find_workspace(named)
    except OperatorError:
        if needed or named:
            raise
        return None
