"""``distill firewall``: arguments, output, exit code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts import discovery
from pipeline.contracts.faults import OperatorError
from pipeline.firewall.places import Places
from pipeline.firewall.scan import scan
from pipeline.firewall.state_events import StateEvents
from pipeline.firewall.walls import ALL_WALLS, Wall
from pipeline.firewall.watch import watch
from pipeline.platform.voice import Voice, speak

_EPILOG = """\
exit codes: 0 clear, 10 a finding (the alarm), 5 no such file (absent is not clear),
3 could not be evaluated (unreadable, or no index to judge by), 2 usage."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="distill firewall",
        description="Scan an SFT file; trusts none of the code that wrote it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("path", nargs="?", metavar="PATH", help="the file (default: the live SFT export)")
    made.add_argument("-C", dest="workspace", metavar="DIR", help="the workspace")
    made.add_argument("--watch", action="store_true", help="stay on; report changes within a second")
    made.add_argument("--json", action="store_true", help="the report as one JSON object on stdout")
    made.add_argument("--events", metavar="PATH|-", help="write firewall.state events, one line each")
    made.add_argument(
        "--evidence-dir", "--evidence", action="append", default=[], metavar="DIR",
        help="evidence to judge by: a folder or a file; may be repeated (default: data/evidence)",
    )  # fmt: skip
    made.add_argument(
        "--scored-dir", "--scored", action="append", default=[], metavar="DIR",
        help="scored runs to judge by: a folder or a file; may be repeated (default: data/scored-runs)",
    )  # fmt: skip
    made.add_argument(
        "--walls", metavar="LIST", default=",".join(ALL_WALLS),
        help="which walls stand (default: all four). Fewer are for measuring, not for trust.",
    )  # fmt: skip
    return made


def main(argv: Sequence[str] | None = None) -> int:
    return speak(
        lambda: _run(parser().parse_args(argv)), who="The firewall", kept_safe="Nothing was changed."
    )


def _run(arguments: argparse.Namespace) -> int:
    try:
        standing = tuple(Wall(name.strip()) for name in arguments.walls.split(","))
    except ValueError:
        parser().error(f"--walls takes a list of {', '.join(ALL_WALLS)}")
    evidence = [Path(place).absolute() for place in arguments.evidence_dir]
    scored = [Path(place).absolute() for place in arguments.scored_dir]
    target = Path(arguments.path) if arguments.path else None
    root = _workspace(arguments.workspace, needed=not (target and evidence and scored))
    places = Places.of(root, target, evidence, scored)
    events = StateEvents.open(arguments.events)
    if arguments.watch:
        if set(standing) != set(ALL_WALLS):
            parser().error("a watcher has all four walls standing")
        return watch(places, events or (StateEvents.open("-") if arguments.json else None))
    report = scan(places, standing)
    if events is not None:
        events.report(report)
    if arguments.events != "-":
        Voice().out(json.dumps(report.to_dict()) if arguments.json else report.as_text().removesuffix("\n"))
    return report.exit_code


def _workspace(named: str | None, *, needed: bool) -> Path | None:
    try:
        return discovery.find_workspace(named)
    except OperatorError:
        if needed or named:
            raise
        return None
