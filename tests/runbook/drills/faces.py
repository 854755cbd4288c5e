"""What each of six faces says of a workspace: the same symptoms, in the same words, since the same time.

The faces are asked in this process, and share one scan of the firewall.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from console.batch.child import PartEnded
from console.batch.part_report import outcome_of
from console.batch.parts import Part
from console.commands import status as status_command
from console.live.runbook_watch import Look
from console.reading.firewall_scan import scan_or_known
from console.reading.workspace_reader import WorkspaceReader
from console.state.derive import advance
from console.state.runbook_state import RunbookReading, known_symptoms
from console.state.view_state import FirewallSeen, RunbookHeard, StatusRead, initial
from pipeline.contracts.status import FirewallStatus
from tests.runbook.command_line import distill

# id → (words, first seen to the second; None where a face does not say since when)
Said = dict[str, tuple[str, int | None]]
_METRIC = re.compile(r'distill_symptom(_since_timestamp_seconds)?\{.*?symptom="([^"]+)".*?\} (.+)')


def glanced(root: Path) -> Said:
    """What a viewer says before anybody has looked."""
    return _of_rows(glanced_rows(root))


def glanced_rows(root: Path) -> list[dict[str, Any]]:
    """The same with all that ``status --json`` tells of each."""
    found: list[dict[str, Any]] = _asked(root, "status")["symptoms"]
    return found


def detect(root: Path) -> dict[str, Any]:
    """``runbook detect --json``: the one face that looks."""
    return _asked(root, "runbook", "detect")


def six_faces(root: Path, detected: dict[str, Any] | None = None) -> dict[str, Said]:
    """By face. ``runbook detect`` looks, unless what it saw is given; the others show what it saw."""
    detected = detect(root) if detected is None else detected
    scanned: list[FirewallStatus] = []

    def scan_once(place: Path, known: FirewallStatus, _limit: float | None, **_how: bool) -> FirewallStatus:
        scanned[:] = scanned or [scan_or_known(place, known)]
        return scanned[0]

    raised = [row for row in detected["symptoms"] if row["verdict"] == "detected"]
    known = known_symptoms(detected)
    with patch.object(status_command, "scan_or_known", scan_once):
        faces = {
            "runbook detect": _of_rows(raised),
            "status": _of_rows(_asked(root, "status")["symptoms"]),
            "handover": _of_rows(_asked(root, "handover")["symptoms"]),
            "metrics": _of_metrics(root, _of_rows(raised)),
            "--batch": _of_batch(detected),
            "dashboard": _of_dashboard(root, scanned[0]),
        }
        with patch("console.commands.watch.RunbookLook.run", lambda _look: Look(known)):
            faces["watch"] = _of_watch(root)
    return faces


def _asked(root: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(distill(root, *words, "--json").stdout)
    return found


def _of_rows(rows: list[dict[str, Any]]) -> Said:
    return {row["id"]: (row["observed"], None if row["since"] is None else int(row["since"])) for row in rows}


def _of_metrics(root: Path, expected: Said) -> Said:
    """Metrics name symptoms alone; their words are nobody's to read."""
    samples = _asked(root, "metrics")["samples"]
    found = [match for sample in samples if (match := _METRIC.match(sample))]
    names = [match[2] for match in found if not match[1]]
    since = {match[2]: int(float(match[3])) for match in found if match[1]}
    return {
        name: (expected.get(name, ("shows in metrics alone", None))[0], since.get(name)) for name in names
    }


def _of_batch(detected: dict[str, Any]) -> Said:
    ended = PartEnded(int(detected["exit_code"]), 0.1, False, detected, ())
    since = {row["id"]: row["since"] for row in detected["symptoms"]}
    return {
        each.id: (each.observed, int(since[each.id])) for each in outcome_of(Part.SYMPTOMS, ended).symptoms
    }


def _of_watch(root: Path) -> Said:
    said = distill(root, "watch", "--once", "--json").stdout
    alerts = [json.loads(line)["symptom"] for line in said.splitlines()]
    return {each["id"]: (each["observed"], _seconds(each["since"])) for each in alerts}


def _seconds(text: str) -> int:
    return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)


def _of_dashboard(root: Path, firewall: FirewallStatus) -> Said:
    """A console that was opened just now: files, the firewall's word, and no look of its own yet."""
    now = time.time()
    state = initial(str(root))
    read = StatusRead(WorkspaceReader(root).read(now))
    for fact in (read, FirewallSeen(firewall), RunbookHeard(RunbookReading())):
        state = advance(state, fact, now)
    return {
        each.id: (each.observed, None if each.since is None else int(each.since)) for each in state.symptoms
    }
