"""``distill schema`` as a process, on the engine as committed and on a copy that was edited."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.cli import main
from pipeline.contracts.discovery import EngineChoice
from pipeline.contracts.faults import ExitCode
from pipeline.schemas.lock import LOCK_FILE
from pipeline.schemas.registry import SCHEMAS

LABEL = 'Literal["accepted", "partially_accepted"]'


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A directory with an engine of its own in it, as a workspace has one."""
    shutil.copytree(
        Path(pipeline.__path__[0]), tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def run(engine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "pipeline", "schema", *arguments],
        env=EngineChoice("workspace", engine, "test").environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def loosen(engine: Path) -> None:
    path = engine / "pipeline" / "schemas" / "sft.py"
    source = path.read_text(encoding="utf-8")
    assert LABEL in source
    path.write_text(source.replace(LABEL, "str"), encoding="utf-8")


def test_check_passes_on_an_engine_that_lies_elsewhere(engine: Path) -> None:
    done = run(engine, "check", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert [check["id"] for check in report["checks"]] == ["P1.versions-pinned", "P1.validators-hold"]


def test_check_names_the_field_that_somebody_loosened(engine: Path) -> None:
    loosen(engine)
    done = run(engine, "check")
    assert done.returncode == ExitCode.CHECK_FAILED
    assert done.stdout.splitlines()[1].startswith("FAIL    P1.versions-pinned ")
    assert "sft.quality_score was: one of 'accepted', 'partially_accepted' required; is: str" in done.stdout
    assert "pipeline/schemas/golden/sft/invalid.jsonl:" in done.stdout


def test_lock_refuses_a_changed_schema_in_three_lines(engine: Path) -> None:
    loosen(engine)
    lock = engine / "pipeline" / "schemas" / "schemas.lock.json"
    before = lock.read_bytes()
    done = run(engine, "lock")
    assert done.returncode == ExitCode.CHECK_FAILED
    assert [line[:13].strip() for line in done.stderr.splitlines()] == [
        "what happened",
        "kept safe",
        "do next",
    ]
    assert "SCHEMA_VERSION of sft" in done.stderr
    assert lock.read_bytes() == before


def test_lock_has_nothing_to_do_on_what_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    before = LOCK_FILE.read_bytes()
    assert main(["schema", "lock", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["changed"] == []
    assert LOCK_FILE.read_bytes() == before


def test_export_prints_every_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "export"]) == ExitCode.OK
    read_by_programs = {"batch_report", "event", "status"}
    assert set(json.loads(capsys.readouterr().out)) == {schema.name for schema in SCHEMAS} | read_by_programs


def test_export_writes_one_file_a_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "export", "--dir", str(tmp_path / "out")]) == ExitCode.OK
    written = capsys.readouterr().out.split()
    assert sorted(written) == sorted(str(path) for path in (tmp_path / "out").iterdir())


def test_export_into_a_file_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["schema", "export", "--dir", str(tmp_path / "taken" / "x")]) == ExitCode.NOT_EVALUABLE
    assert "cannot be written: Not a directory" in capsys.readouterr().err


def test_reference_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[3] / "docs" / "schemas.md"
    assert main(["schema", "reference"]) == ExitCode.OK
    assert capsys.readouterr().out == page.read_text(encoding="utf-8")
