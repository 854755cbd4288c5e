"""ENGINE.wont-start in a workspace's own engine. Its drill repairs it and takes the repair back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.faults import ExitCode
from tests.runbook.symptoms.walked import cause, diagnosed, filled, repaired, verdict
from tests.runbook.test_commands import CONSENT, distill, planned
from tests.runbook.workspaces import TAG, git

ID = "ENGINE.wont-start"
CLI = "pipeline/cli.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = filled(tmp_path / "w", more_settings='[engine]\nsource = "installed"\n').root
    ours = Path(pipeline.__file__).parent
    shutil.copytree(ours, made / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    settings = made / "distill.toml"
    settings.write_text(settings.read_text().replace('"installed"', '"workspace"'))
    git(made, "add", ".")
    git(made, "commit", "--quiet", "-m", "an engine of our own")
    git(made, "tag", "--force", TAG)
    return made


@pytest.mark.parametrize("fault", ["def broken(:\n", "import nothing_by_that_name\n"])
def test_the_broken_file_is_named_among_others_that_changed(root: Path, fault: str) -> None:
    assert verdict(root, ID) == "clear"
    (root / CLI).write_text(fault + (root / CLI).read_text())
    with (root / "pipeline/__init__.py").open("a") as file:
        file.write("# harmless\n")
    assert cause(root, ID) == ("code_changed", "certain")
    assert diagnosed(root, ID)["diagnosis"]["cause"]["places"] == [CLI]


def test_a_repair_that_was_not_enough_ends_with_12_and_looking_again_finds_the_rest(root: Path) -> None:
    broken = {CLI, "pipeline/contracts/commands.py"}
    for name in broken:
        (root / name).write_text("import nothing_by_that_name\n")
    first = planned(root, "runbook", "plan", ID)
    done = distill(root, "runbook", "apply", "--plan", first["plan_hash"], *CONSENT)
    assert done.returncode == ExitCode.VERIFICATION_FAILED, done.stderr
    assert verdict(root, ID) == "detected"
    repaired(root, ID)


def test_code_that_is_as_tagged_leaves_the_cause_unknown(root: Path) -> None:
    (root / CLI).write_text("import nothing_by_that_name\n")
    git(root, "commit", "--quiet", "--all", "-m", "break it")
    git(root, "tag", "--force", TAG)
    assert cause(root, ID) == ("unknown", "unknown")
    assert diagnosed(root, ID)["offers"] == []
