"""Whatever keeps the firewall from answering, whoever asks it: the answer is unknown, never clear, never 0.

Each asker of the product is let loose on a workspace in which the firewall is killed, hangs, is
starved, or finds nothing to judge by.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.batch.child import Deadline, run_child
from console.batch.metrics import batch_metrics
from console.batch.outcome import BatchOutcome
from console.batch.part_report import outcome_of
from console.batch.parts import Part, argv_of
from console.live.firewall_watch import FirewallWatch
from console.reading.firewall_scan import scan_or_known
from console.reading.workspace_reader import WorkspaceReader
from console.state import symptoms_now
from console.state.view_state import FirewallLost, FirewallSeen
from pipeline import cli
from pipeline.acceptance import walls as acceptance_walls
from pipeline.audit.p4_firewall import sft_firewall
from pipeline.checks.runner import run_check
from pipeline.contracts import paths
from pipeline.contracts.check_index import AUDIT
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.discovery import INSTALLED_PYTHON_VARIABLE, firewall_environment
from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.status import FirewallWord, Verdict
from pipeline.formats.command import run_formats
from pipeline.platform import firewall
from pipeline.settings.model import ExportSettings
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p4_sft_leak import diagnose
from tests.pipeline.engine.workspaces import make_workspace, run_all

SHORT_SECONDS = 0.4
HANGS = "exec sleep 600"


def starved(limit: str) -> str:
    return f'ulimit {limit}; exec "{sys.executable}" "$@"'


# How the firewall's interpreter is made to fail; None: it is sound, and the workspace is not.
WAYS = {
    "cannot be started": "",
    "is killed": "kill -9 $$",
    "hangs": HANGS,
    "dies of a bug": "echo 'Traceback: no memory' >&2; exit 1",
    "says nothing and ends well": "exit 0",
    "says clear and ends badly": 'echo \'{"state":"CLEAR","rows_read":9,"findings_count":0}\'; exit 3',
    "says clear without counts": 'echo \'{"state":"CLEAR"}\'; exit 0',
    "has too few descriptors": starved("-n 4"),
    "has no memory": starved("-v 20000"),
    "cannot read the evidence": None,
    "misses the verdicts": None,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("sound") / "w")
    run_all(workspace)
    return workspace


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def workspace(way: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "w"
    shutil.copytree(sound, root)
    (root / paths.LAST_CLEAR).unlink()
    script = WAYS[way]
    if way == "cannot read the evidence":
        (root / paths.EVIDENCE / "elsewhere.jsonl").symlink_to("/etc/hostname")
    elif way == "misses the verdicts":
        shutil.rmtree(root / paths.SCORED_RUNS)
    else:
        python = tmp_path / "python"
        if script:
            python.write_text(f"#!/bin/sh\n{script}\n")
            python.chmod(0o700)
        monkeypatch.setenv(INSTALLED_PYTHON_VARIABLE, str(python))
    limit = SHORT_SECONDS if script == HANGS else 60.0
    monkeypatch.setattr(firewall, "LIMIT_SECONDS", limit)
    monkeypatch.setattr(acceptance_walls, "TIME_LIMIT_SECONDS", limit)
    return root


def command(workspace: Path, *arguments: str) -> tuple[int, str]:
    before = set((workspace / paths.REPORTS).iterdir())
    code = cli.main([arguments[0], "-C", str(workspace), *arguments[1:]])
    [run] = set((workspace / paths.REPORTS).iterdir()) - before
    return code, (run / "events.jsonl").read_text()


def of_the_run(workspace: Path) -> None:
    code, events = command(workspace, "run-all")
    assert code == ExitCode.NOT_EVALUABLE
    assert '"state":"UNKNOWN"' in events
    kept = list((workspace / paths.REPORTS).glob(f"*/standing/{paths.SFT_EXPORT}"))
    assert len(kept) == 1, "what was not judged is kept before anything replaces it"


def of_the_scorer(workspace: Path) -> None:
    code, events = command(workspace, "score")
    if (workspace / paths.EVIDENCE / "elsewhere.jsonl").exists() or '"UNKNOWN"' in events:
        assert code == ExitCode.NOT_EVALUABLE
    else:  # it has made the missing verdicts again, and is judged by these
        assert (workspace / paths.SCORED_RUNS).is_dir()
        assert code == ExitCode.OK


def of_the_audit(workspace: Path) -> None:
    spec = next(each for each in AUDIT if each.id == "P4.sft-firewall")
    result = run_check(spec, lambda: sft_firewall(workspace))
    assert result.status is CheckStatus.ERROR
    assert result.detail


def of_a_format(workspace: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        run_formats(workspace, ["chat-jsonl"], ExportSettings())
    assert caught.value.exit_code == ExitCode.NOT_EVALUABLE
    assert not (workspace / paths.FORMATTED).exists()


def of_the_gate(workspace: Path) -> None:
    said = workspace.parent
    root: Any = SimpleNamespace(said=said, current_directory=said, home=said, temporary=said)
    seen = acceptance_walls.scan(SimpleNamespace(root=root), workspace, "scan")  # type: ignore[arg-type]
    assert seen["state"] == "UNKNOWN"
    assert seen["why"]


def of_the_status(workspace: Path) -> None:
    status = WorkspaceReader(workspace).read()
    seen = scan_or_known(workspace, status.firewall, firewall.LIMIT_SECONDS)
    assert seen.state is FirewallWord.UNKNOWN
    assert seen.detail
    answers = symptoms_now.with_firewall((), seen, time.time())
    assert symptoms_now.exit_code(answers, (), seen, time.time()) == ExitCode.NOT_EVALUATED


def of_the_watcher(workspace: Path) -> None:
    async def first_words() -> list[FirewallSeen | FirewallLost]:
        facts = []
        watching = FirewallWatch(workspace, silence_seconds=min(5.0, firewall.LIMIT_SECONDS))
        async for fact in watching.states():
            facts.append(fact)
            settled = isinstance(fact, FirewallSeen) and "reading" not in fact.firewall.detail
            if settled or isinstance(fact, FirewallLost):
                return facts
        return facts

    facts = asyncio.run(first_words())
    assert facts
    for fact in facts:
        if isinstance(fact, FirewallSeen):
            assert fact.firewall.state is FirewallWord.UNKNOWN


def of_the_batch(workspace: Path) -> None:
    folder = workspace.parent / "batch"
    folder.mkdir()
    for part in (Part.STANDING, Part.FIREWALL):
        ended = run_child(
            argv_of(part, workspace, folder / "events", acceptance_report=None),
            firewall_environment(),
            folder,
            part,
            deadline=Deadline(firewall.LIMIT_SECONDS),
            stop_asked=lambda: False,
            on_event=lambda _event: None,
        )
        outcome = outcome_of(part, ended)
        if outcome.exit_code is not None:  # else it was out of time, and says so
            assert outcome.exit_code == ExitCode.NOT_EVALUABLE
        assert outcome.said.split(",")[0] == "UNKNOWN"
        assert outcome.detail
        batch = BatchOutcome("b", str(workspace), 0.0, 1.0, (outcome,))
        assert "distill_firewall_findings" not in batch_metrics(batch)


def of_the_runbook(workspace: Path) -> None:
    found = diagnose.detect(Workspace(workspace))
    assert found.verdict is Verdict.UNKNOWN
    assert found.observed.startswith("UNKNOWN: ")


ASKERS: tuple[Callable[[Path], None], ...] = (
    of_the_run,
    of_the_scorer,
    of_the_audit,
    of_a_format,
    of_the_gate,
    of_the_status,
    of_the_watcher,
    of_the_batch,
    of_the_runbook,
)


@pytest.mark.parametrize("ask", ASKERS)
def test_a_firewall_that_cannot_answer_is_unknown_to_whoever_asks(
    ask: Callable[[Path], None], workspace: Path
) -> None:
    ask(workspace)


def test_the_gate_keeps_the_whole_report_of_each_look(sound: Path, tmp_path: Path) -> None:
    root: Any = SimpleNamespace(said=tmp_path, current_directory=tmp_path, home=tmp_path, temporary=tmp_path)
    for name in ("before", "after"):
        seen = acceptance_walls.scan(SimpleNamespace(root=root), sound, name)  # type: ignore[arg-type]
        kept = json.loads((tmp_path / f"{name}.out").read_text("utf-8"))
        assert (seen["state"], kept["state"], kept["findings_count"]) == ("CLEAR", "CLEAR", 0)
        assert kept["file"] == "exports/sft/instruction_response.jsonl"
