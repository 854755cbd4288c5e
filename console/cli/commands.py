"""Every command of ``distill`` in one table: the console's own, joined with the other packages'."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pipeline.contracts.command import Command, arg, within
from pipeline.contracts.commands import ENGINE_COMMANDS
from pipeline.contracts.faults import ExitCode
from runbook.commands.table import RUNBOOK_COMMANDS

GROUPS = {
    "watch": "Watch",
    "start": "Start",
    "run": "Run the pipeline",
    "trust": "Trust and trace",
    "repair": "Repair",
}
PROFILES = ("rich", "lean", "plain")
PARTS = ("run-all", "firewall", "acceptance", "audit-full", "determinism", "symptoms")
SHELLS = ("bash", "zsh", "tcsh")
WATCHED_ROWS = 20_000
DEMO_PLACE = "distill-demo"

_FOUND = (ExitCode.CHECK_FAILED, ExitCode.NOT_EVALUATED, ExitCode.FIREWALL_BREACH)
_SPAN = re.compile(r"(\d{1,6})\s*(m|h|d)\Z")
_SPAN_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
# fmt: off
_FIREWALL_SECONDS = arg("--firewall-seconds", type=float, metavar="S",
    help="how long the firewall may scan at most (default: what any look may take; 0: only what is known)")
_CONSOLE_FLAGS = (
    arg("--operate", metavar="REASON",
        help="start armed for 15 minutes; the reason is kept with what is done"),
    arg("--profile", choices=PROFILES, help="how to draw"),
    arg("--plain", action="store_true", help="plain lines instead of a screen"),
)
# fmt: on


def span(text: str) -> float:
    """Seconds in ``30m``, ``8h``, ``2d``. Raises ArgumentTypeError."""
    import argparse

    found = _SPAN.match(text.strip())
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no span of time like 30m, 8h or 2d")
    return int(found[1]) * _SPAN_SECONDS[found[2]]


# A table, which is read better with its words in lines of their own.
# fmt: off
CONSOLE_COMMANDS: tuple[Command, ...] = (
    Command("console", "watch", "Open the full-screen console (what plain `distill` does).", "console",
        _CONSOLE_FLAGS, exits=_FOUND),
    Command("status", "watch", "Print the dashboard as text, or as data with --json.", "console",
        (_FIREWALL_SECONDS,), exits=_FOUND),
    Command("runs", "watch", "List past runs with counts and run_hash.", "console", (
        arg("--limit", type=int, default=20, metavar="N", help="how many (default: %(default)s, at most 40)"),
    )),
    Command("watch", "watch", "Run the live detectors without a screen; call [alert] command.", "console", (
        arg("--interval", type=within(0.05, 30 * 86400, float, " seconds"), default=10.0, metavar="S",
            help="seconds between two looks at the files "
            "(default: %(default)s; the firewall reports at once)"),
        arg("--remind", type=within(0.05, 30 * 86400, float, " seconds"), default=3600.0, metavar="S",
            help="seconds until a symptom that is still detected is reported again (default: %(default)s)"),
        arg("--once", action="store_true", help="look once; the exit code is that of distill status"),
    ), example=("--once",), exits=(*_FOUND, ExitCode.APPROVAL_NEEDED)),
    Command("handover", "watch", "Print what the next shift must know.", "console", (
        arg("--since", type=span, default="8h", metavar="SPAN", help="30m, 8h or 2d (default: 8h)"),
    )),
    Command("metrics", "watch", "Write the dashboard's numbers as a Prometheus textfile.", "console", (
        arg("--out", metavar="FILE.prom", type=Path, completes="file",
            help="replace this file, all or nothing (default: standard output)"),
        _FIREWALL_SECONDS,
    )),
    Command("report", "watch", "Print the whole state with checks, drift and incidents; --html: as a page.",
        "console", (
        arg("--html", metavar="FILE", type=Path, completes="file",
            help="write one self-contained page there, without scripts and outside addresses"),
        _FIREWALL_SECONDS,
    )),
    Command("doctor", "watch", "Show what this terminal supports and which profile is chosen.", "console", (
        arg("--profile", choices=PROFILES, help="show the choice as with this profile"),
    ), needs_workspace=False, exits=(ExitCode.CHECK_FAILED,)),
    Command("demo", "start", "Build a demo workspace and open the console on it.", "console", (
        arg("--sources", metavar="DIR", type=Path, completes="directory",
            help="logs to copy into the demo (default: the shipped fixtures)"),
        arg("--dir", metavar="DIR", type=Path, default=Path(DEMO_PLACE), completes="directory",
            help=f"where to build it (default: ./{DEMO_PLACE}); an earlier demo there is replaced"),
        arg("--rows", metavar="N", type=int,
            help=f"lines of a generated stream to add (default: {WATCHED_ROWS} when the console opens "
            "on the fixtures, so that there is a run to watch; else 0)"),
        arg("--batch", action="store_true",
            help="build, run the pipeline in the foreground, end with its exit code"),
    ), needs_workspace=False, example=("--batch", "--dir", "a-demo"), exits=(*_FOUND, ExitCode.LOCKED)),
    Command("trust", "start", "Look at a workspace's own code, and let it run from now on.", "console", (
        arg("dir", nargs="?", metavar="DIR", completes="directory", help="which (default: -C, else here)"),
        arg("--show", action="store_true", help="only show what would run, and whether it is trusted"),
        arg("--revoke", action="store_true", help="withdraw the trust"),
        arg("--range", metavar="GOOD..BAD",
            help="let git bisect try the engines of these commits in throw-away clones"),
    ), needs_workspace=False, example=("--show",), exits=(ExitCode.APPROVAL_NEEDED,)),
    Command("completion", "start", "Print a completion script for bash, zsh or tcsh.", "console", (
        arg("shell", choices=SHELLS, help="which shell reads it"),
    ), needs_workspace=False, example=("bash",)),
)
# A flag by contract with CI scripts, a command in all else; not in the table, which lists names.
BATCH = Command("--batch", "run", "Run and verify everything without a screen, for CI.", "console", (
    arg("--only", action="append", default=[], metavar="PART", completes="part",
        help=f"run this alone: {', '.join(PARTS)}"),
    arg("--skip", action="append", default=[], metavar="PART", completes="part",
        help="leave this out; it is reported as skipped"),
    arg("--determinism", action="store_true", help="run the pipeline several ways and compare, too"),
    arg("--fail-on", choices=("fail", "warn"), default="fail", help="warn: end with 4 on warnings"),
    arg("--timeout", type=within(0.001, 7 * 24 * 3600, float, " seconds"), metavar="SECONDS",
        help="time limit of the whole batch; exit 3 when it is over"),
    arg("--report-dir", type=Path, metavar="DIR", completes="directory",
        help="write report.json, report.html, report.sarif, junit.xml, summary.md, metrics.prom there"),
    arg("--quiet", "-q", action="store_true", help="print only failures and the verdict"),
    arg("--github", action="store_true", help="annotations and the step summary of GitHub Actions"),
), example=("--only", "firewall"),
    exits=(*_FOUND, ExitCode.WARNINGS, ExitCode.APPROVAL_NEEDED, ExitCode.LOCKED))
# fmt: on


def _joined() -> tuple[Command, ...]:
    """By group, and in a group the console's first, then the engine's, then the runbook's."""
    # A drill that was started here is opened here; the runbook has no screen.
    repairs = [
        replace(each, module="console.commands.drill") if each.name == "drill" else each
        for each in RUNBOOK_COMMANDS
    ]
    order = list(GROUPS)
    everything = (*CONSOLE_COMMANDS, *ENGINE_COMMANDS, *repairs)
    return tuple(sorted(everything, key=lambda each: order.index(each.group)))


COMMANDS = _joined()
BY_NAME = {command.name: command for command in COMMANDS}
