"""Whoever asks the firewall, started as its user starts it, and the word that is read in what it wrote.

A word is BREACH, UNKNOWN, CLEAR, or what else stood where the firewall's word is to stand. Who writes none is
read by its exit code. Detectors say CLEAR by naming no leak.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.symptoms import LEAK
from tests.console.cell_terminal import CellTerminal, marks_take_nothing
from tests.console.terminals import Terminal, environment
from tests.faults.trial import FORBIDDEN, Ended, World, run

_COLUMNS, _ROWS = 100, 40
_BY_CODE = {
    ExitCode.FIREWALL_BREACH: "BREACH",
    ExitCode.NOT_EVALUABLE: "UNKNOWN",
    ExitCode.NOT_EVALUATED: "UNKNOWN",
    ExitCode.OK: "CLEAR",
}


@dataclass(frozen=True)
class Asker:
    """``read`` finds the word in all that was written. ``tells_by_code``: a breach is not 0."""

    argv: Sequence[str]
    read: Callable[[Ended], str]
    tells_by_code: bool = True
    forbidden: Sequence[str] = FORBIDDEN

    def ask(self, root: Path, output: Path, world: World) -> tuple[str, Ended]:
        ended = run(self.argv, root, output, world)
        return self.read(ended), ended


def _by_code(ended: Ended) -> str:
    return _BY_CODE.get(ExitCode(ended.code), f"exit {ended.code}") if ended.code >= 0 else "no end"


def _found(pattern: str) -> Callable[[Ended], str]:
    expression = re.compile(pattern, re.MULTILINE)

    def read(ended: Ended) -> str:
        found = expression.search(ended.text)
        return found[1] if found else _by_code(ended)

    return read


def _object(text: str) -> Any:
    try:
        return json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return {}


def _of_symptoms(ended: Ended) -> str:
    verdicts = {each["id"]: each["verdict"] for each in _object(ended.text).get("symptoms", ())}
    words = {"detected": "BREACH", "unknown": "UNKNOWN", "clear": "CLEAR"}
    return words.get(verdicts.get(LEAK, ""), _by_code(ended))


def _of_alerts(ended: Ended) -> str:
    if f'"id": "{LEAK}"' in ended.text:
        return "BREACH"
    if '"id": "firewall"' in ended.text:
        return "UNKNOWN"
    return _by_code(ended) if ended.code in (ExitCode.FIREWALL_BREACH, ExitCode.USAGE) else "CLEAR"


def _of_checks(ended: Ended) -> str:
    for check in _object(ended.text).get("checks", ()):
        if check["id"] == "P4.sft-firewall":
            return str(check["observed"] or check["status"]).partition(",")[0]
    return _by_code(ended)


class Dashboard(Asker):
    """The console on a terminal: what its pane of the firewall says when it reads no more."""

    def __init__(self) -> None:
        super().__init__((), _by_code, tells_by_code=False)

    def ask(self, root: Path, output: Path, world: World) -> tuple[str, Ended]:
        argv = [sys.executable, "-P", "-m", "console", "-C", str(root)]
        env = environment(**world.environment)
        with Terminal(world.started(argv), env, size=(_COLUMNS, _ROWS)) as terminal:

            def has_answered(written: bytes) -> bool:
                return _word(written) not in ("", "AT WORK") or not _lives(terminal.pid)

            with contextlib.suppress(AssertionError):  # it says nothing in time, or is never still
                terminal.read_until(has_answered, "the firewall's word")
                if _word(bytes(terminal.written)) not in ("BREACH", "CLEAR"):
                    terminal.settle(with_children=False)  # UNKNOWN may be what it says before it has looked
                    terminal.read_until(has_answered, "the firewall's word")
            word, screen = _word(bytes(terminal.written)), _screen(bytes(terminal.written))
            if not _lives(terminal.pid):  # it refused to open
                ended = Ended(terminal.wait(), screen)
                return word or _by_code(ended), ended
        return (word, Ended(0, screen)) if word else ("no word", Ended(-1, screen))


def _word(written: bytes) -> str:
    """What the pane of the firewall says; empty while there is none."""
    screen = _screen(written)
    found = _PANE.search(screen)
    return "" if found is None else "AT WORK" if _AT_WORK.search(screen) else found[1]


def _lives(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


_PANE = re.compile(r"FIREWALL.*\n.*?\b(BREACH|UNKNOWN|CLEAR|ABSENT)\b")
_AT_WORK = re.compile(r"first reading|starting|not read yet|\breading\b")


def _screen(written: bytes) -> str:
    terminal = CellTerminal(_COLUMNS, _ROWS, marks_take_nothing)
    terminal.feed(written.decode("utf-8", "replace"))
    return "\n".join(terminal.row(row) for row in range(_ROWS))


_LOOK = ("--firewall-seconds", "30")
ASKERS: Mapping[str, Asker] = {
    "firewall": Asker(("console", "firewall"), _found(r"^firewall +([A-Z]+)")),
    "status": Asker(("console", "status", "--json", *_LOOK), _found(r'"firewall": *{\s*"state": *"(\w+)"')),
    "runbook detect": Asker(
        ("console", "runbook", "detect", "--json"),
        _of_symptoms,
        forbidden=[word for word in FORBIDDEN if word != " bug"],  # the runbook's own texts speak of bugs
    ),
    "watch": Asker(("console", "watch", "--once", "--json"), _of_alerts),
    "--batch": Asker(
        ("console", "--batch", "--only", "firewall,symptoms"), _found(r"^firewall +\S+ +\S+ +([A-Z]+)")
    ),
    "handover": Asker(
        ("console", "handover", "--json"), _found(r'"firewall": *{\s*"state": *"(\w+)"'), tells_by_code=False
    ),
    "metrics": Asker(
        ("console", "metrics", *_LOOK),
        _found(r'^distill_firewall_state{state="(\w+)"} 1'),
        tells_by_code=False,
    ),
    "dashboard": Dashboard(),
    "audit-full": Asker(
        ("pipeline", "audit-full", "--acceptance-report", "acceptance.json", "--no-append", "--json"),
        _of_checks,
    ),
    "run-all": Asker(("pipeline", "run-all"), _by_code),
    "export-sft": Asker(("pipeline", "export-sft"), _by_code),
    "export --format": Asker(("pipeline", "export", "--format", "trl-conversational"), _by_code),
}
