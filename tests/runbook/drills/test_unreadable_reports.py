"""A report that is there and cannot be read is not known, in every face alike, and no all-clear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from tests.runbook.command_line import distill
from tests.runbook.drills.sound import sound_copy

# Each report with the symptoms that it tells, and the phase of the dashboard.
TOLD = {
    paths.ACCEPTANCE_DATA: ({"S1.P6.acceptance", "S3.divergence"}, "P6"),
    paths.AUDIT_DATA: (
        {"S1.P2.materialize", "S1.P3.distribution", "S1.P4.self-pair", "S1.P5.summary", "S1.P7.replay"},
        "P8",
    ),
}
BROKEN: dict[str, Callable[[str], str]] = {
    "torn": lambda whole: whole[: len(whole) // 2],
    "an object without members": lambda _whole: "{}",
    "a report without checks": lambda _whole: '{"checks": []}',
    "empty": lambda _whole: "",
}


@pytest.fixture(scope="module")
def sound(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = sound_copy(template, tmp_path_factory.mktemp("sound") / "w", 1)
    scene.engine("acceptance")
    scene.audit()
    seen = _asked(scene.root, "runbook", "detect")
    assert seen["exit_code"] == ExitCode.OK, [row for row in seen["symptoms"] if row["stale"]]
    return scene.root


@pytest.fixture
def broken(sound: Path, report: PurePosixPath, damage: str) -> Iterator[Path]:
    whole = (sound / report).read_text()
    (sound / report).write_text(BROKEN[damage](whole))
    yield sound
    (sound / report).write_text(whole)


@pytest.mark.parametrize("damage", BROKEN)
@pytest.mark.parametrize("report", TOLD)
def test_what_it_would_tell_is_not_known(broken: Path, report: PurePosixPath) -> None:
    root = broken
    symptoms, phase = TOLD[report]
    seen = _asked(root, "runbook", "detect")
    assert seen["exit_code"] == ExitCode.NOT_EVALUATED
    blind = [row for row in seen["symptoms"] if row["verdict"] == "unknown" and not row["nothing_yet"]]
    unknown = {row["id"] for row in blind}
    assert symptoms <= unknown
    status = _asked(root, "status")
    assert status["exit_code"] == ExitCode.NOT_EVALUATED
    told = {each["id"]: each["observed"] for each in status["answers"]}
    assert {row["id"]: row["observed"] for row in seen["symptoms"] if row["id"] in symptoms} == {
        name: told[name] for name in symptoms
    }
    assert all(str(report) in told[name] for name in symptoms)
    (shown,) = (each for each in status["phases"] if each["id"] == phase)
    assert (shown["state"], str(report) in shown["detail"]) == ("unknown", True)


def _asked(root: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(distill(root, *words, "--json").stdout)
    return found
