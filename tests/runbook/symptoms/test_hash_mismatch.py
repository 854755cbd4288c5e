"""S5.hash-mismatch: what its report says, how long it is believed, and whom the evidence accuses."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Verdict
from pipeline.platform.process_end import Ended
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.nondeterminism import Kind, Suspect
from runbook.probes.workspace import Workspace
from runbook.symptoms.determinism import BISECT, REPORT, SUSPECTS, bisect_probe
from runbook.symptoms.s5_hash_mismatch import diagnose as s5_hash_mismatch
from tests.runbook.workspaces import make_workspace

SCORE, SAMPLE = "pipeline/stages/score.py", "pipeline/stages/sample.py"
CULPRIT, INNOCENT = "a" * 40, "b" * 40
DIFFERENCE = {
    "stage": "score",
    "file": "data/scored-runs/runs.jsonl",
    "line": 7,
    "first_run": "straight",
    "second_run": "divided",
    "first": '{"run_id":"runs/1","score":0.5}',
    "second": '{"run_id":"runs/1","score":0.6}',
    "fields": ["score"],
}


def report(exit_code: int = 1, *, at: float = 3600.0, **more: Any) -> dict[str, Any]:
    """``at`` is seconds from now: in the future it is older than nothing."""
    finished = datetime.fromtimestamp(time.time() + at, UTC).isoformat().replace("+00:00", "Z")
    return {
        "kind": "determinism",
        "exit_code": exit_code,
        "verdict": "equal" if exit_code == 0 else "different",
        "runs": [{}, {}, {}],
        "finished_at": finished,
        "elapsed_seconds": 4.0,
        "difference": DIFFERENCE if exit_code == 1 else None,
    } | more


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "distill.toml").write_text("")
    return Workspace(tmp_path)


def written(workspace: Workspace, data: Any) -> Detection:
    path = workspace.root / REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return s5_hash_mismatch.detect(workspace)


def test_the_first_row_that_differs_is_shown_as_a_difference(workspace: Workspace) -> None:
    seen = written(workspace, report())
    assert seen.verdict is Verdict.DETECTED
    assert seen.facts == {"runs": 3, "place": "score: data/scored-runs/runs.jsonl:7 in score"}
    assert seen.evidence[0].lines == (
        "--- data/scored-runs/runs.jsonl (straight)",
        "+++ data/scored-runs/runs.jsonl (divided)",
        "@@ line 7 @@",
        f"-{DIFFERENCE['first']}",
        f"+{DIFFERENCE['second']}",
    )


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (report(0), Verdict.CLEAR),
        (report(3), Verdict.UNKNOWN),
        (report(5), Verdict.UNKNOWN),
        ({"kind": "another"}, Verdict.UNKNOWN),
        ([], Verdict.UNKNOWN),
        ({**report(), "exit_code": "one"}, Verdict.UNKNOWN),
    ],
)
def test_only_a_comparison_that_ended_says_something(
    workspace: Workspace, data: Any, verdict: Verdict
) -> None:
    assert written(workspace, data).verdict is verdict


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The engine's command lines; by now every run is like every other."""
    calls: list[tuple[str, ...]] = []

    def engine(_workspace: Workspace, arguments: tuple[str, ...], *, seconds: float) -> Ended:
        calls.append(tuple(arguments))
        return Ended(ExitCode.OK, json.dumps(report(0, at=0.0)).encode())

    monkeypatch.setattr(Workspace, "engine", engine)
    return calls


def test_a_red_report_that_is_too_old_is_asked_again_once(
    workspace: Workspace, asked: list[tuple[str, ...]]
) -> None:
    data = report(at=-60)
    assert [written(workspace, data).verdict for _ in range(3)] == [Verdict.CLEAR] * 3
    assert asked == [("determinism", "--runs", "3", "--no-report", "--json")]


def test_a_comparison_that_takes_long_is_believed_until_somebody_asks(
    workspace: Workspace, asked: list[tuple[str, ...]]
) -> None:
    seen = written(workspace, report(at=-60, elapsed_seconds=900.0))
    assert seen.verdict is Verdict.DETECTED
    assert "changed since" in seen.observed
    assert asked == []
    assert s5_hash_mismatch.rerun(workspace).verdict is Verdict.CLEAR


def changed(path: str, *commits: str) -> ChangedFile:
    named = tuple(f"{each[:12]} Tomas: words" for each in commits)
    return ChangedFile(path=path, kind="changed", phase="P3", commits=named, uncommitted=not commits)


def clock(path: str) -> Suspect:
    return Suspect(kind=Kind.CLOCK, path=path, line=3, code="time.time()")


def diagnosed(
    files: list[ChangedFile], found: list[Suspect], *, new: bool = True, commit: str | None = None
) -> Diagnosis:
    history = CodeHistory(source="workspace", tag="t", commit="c", files=tuple(files))
    suspects: JsonValue = {"new": new, "suspects": [each.model_dump(mode="json") for each in found]}
    bisected: JsonValue = {"commit": commit, "says": f"{(commit or '')[:12]} Tomas: words"}
    outputs = {
        name: ProbeOutput(probe_id=name, title=name, data=data)
        for name, data in (
            (CODE, history.model_dump(mode="json")),
            (SUSPECTS, suspects),
            (BISECT, bisected),
        )
    }
    detection = Detection(
        symptom_id="S5.hash-mismatch", verdict=Verdict.DETECTED, observed="", read_at=1.0, as_of=1.0
    )
    return s5_hash_mismatch.SYMPTOM.classify(detection, outputs)


def judged(diagnosis: Diagnosis) -> tuple[str, str, list[str]]:
    restore = diagnosis.facts.get("restore")
    paths = (
        [str(each["path"]) for each in restore if isinstance(each, dict)] if isinstance(restore, list) else []
    )
    return diagnosis.cause.id, str(diagnosis.cause.confidence), paths


def test_commit_and_suspect_in_one_file_are_certain_and_others_are_left_alone() -> None:
    found = diagnosed([changed(SCORE, CULPRIT), changed(SAMPLE, INNOCENT)], [clock(SCORE)], commit=CULPRIT)
    assert judged(found) == ("clock", "certain", [SCORE])
    assert found.facts["commit"] == f"{CULPRIT[:12]} Tomas: words"
    assert [each.stance for cause in found.considered for each in cause.evidence] == ["against"]


def test_a_suspect_in_a_file_that_the_commit_did_not_touch_is_not_the_cause() -> None:
    found = diagnosed([changed(SCORE, CULPRIT), changed(SAMPLE, INNOCENT)], [clock(SAMPLE)], commit=CULPRIT)
    assert judged(found) == ("code_changed", "likely", [SCORE])


def test_without_a_commit_new_suspects_accuse_their_file() -> None:
    assert judged(diagnosed([changed(SCORE), changed(SAMPLE)], [clock(SCORE)])) == (
        "clock",
        "likely",
        [SCORE],
    )
    assert judged(diagnosed([changed(SCORE)], [clock(SCORE)])) == ("clock", "certain", [SCORE])


def test_old_suspects_accuse_nobody() -> None:
    found = diagnosed([changed(SCORE), changed(SAMPLE)], [clock(SCORE)], new=False)
    assert judged(found) == ("code_changed", "possible", [SCORE, SAMPLE])
    assert judged(diagnosed([], [clock(SCORE)], new=False)) == ("unknown", "unknown", [])


def test_with_nothing_committed_since_the_tag_nothing_is_bisected(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / "pipeline/__main__.py").write_text("import time\n")
    data = bisect_probe(2).look(workspace, 60.0).data
    assert isinstance(data, dict)
    assert data["uncommitted"] == ["pipeline/__main__.py"]
    assert data["says"] == "no commit since distillation-v1.0.0 touched the engine"
