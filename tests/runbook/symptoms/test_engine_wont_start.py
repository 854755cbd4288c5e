"""ENGINE.wont-start in a workspace's own engine. Its drill repairs it and takes the repair back."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.faults import ExitCode
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.process import run
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import read_looks
from tests.git_commands import git
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.symptoms.walked import diagnosed, filled, repaired, verdict
from tests.runbook.workspaces import TAG
from tests.waiting import LIMIT_SECONDS

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
    found = diagnosed(root, ID)["diagnosis"]["cause"]
    assert (found["id"], found["confidence"], found["places"]) == ("code_changed", "certain", [CLI])


STAGE = "pipeline/stages/scoring_rules.py"


@pytest.mark.parametrize(
    "fault", ["def broken(:\n", "import nothing_by_that_name\n", "_LIMIT = NO_SUCH_NAME\n", None]
)
def test_a_stage_that_does_not_load_is_named_and_one_that_is_gone_comes_back(
    root: Path, fault: str | None
) -> None:
    """A command imports stages when it is called, so that ``config --help`` says nothing of them.
    That an edited file is restored is for the drill to show.
    """
    if fault is None:
        (root / STAGE).unlink()
    else:
        with (root / STAGE).open("a") as file:
            file.write(fault)
    with (root / "pipeline/stages/__init__.py").open("a") as file:
        file.write("# harmless\n")
    seen = diagnosed(root, ID)
    found = seen["diagnosis"]["cause"]
    assert (found["id"], found["confidence"], found["places"]) == ("code_changed", "certain", [STAGE])
    if fault is not None:
        assert seen["detection"]["observed"].startswith(f"{STAGE}:")
        return
    repaired(root, ID)
    assert verdict(root, ID) == "clear"


def test_an_error_of_code_blames_the_broken_file_and_leads_to_the_wizard(root: Path) -> None:
    with (root / STAGE).open("a") as file:
        file.write("def broken(:\n")
    line = len((root / STAGE).read_text().splitlines())
    trust_what_we_made(root)
    failed = distill(root, "run-all")
    assert failed.returncode == ExitCode.NOT_EVALUABLE
    told = failed.stderr.splitlines()
    assert f"SyntaxError: invalid syntax ({root / STAGE}:{line})" in told[0]
    assert told[2] == (
        "do next        The workspace runs its own engine; the wizard restores the file: "
        f"distill runbook open {ID}"
    )


def test_a_repair_that_was_not_enough_ends_with_12_and_looking_again_finds_the_rest(root: Path) -> None:
    broken = {CLI, "pipeline/contracts/commands.py"}
    for name in broken:
        (root / name).write_text("import nothing_by_that_name\n")
    trust_what_we_made(root)
    first = planned(root, "runbook", "plan", ID)
    done = distill(root, "runbook", "apply", "--plan", first["plan_hash"], *CONSENT)
    assert done.returncode == ExitCode.VERIFICATION_FAILED, done.stderr
    assert verdict(root, ID) == "detected"
    repaired(root, ID)


def test_code_that_is_as_tagged_leaves_the_cause_unknown(root: Path) -> None:
    (root / CLI).write_text("import nothing_by_that_name\n")
    git(root, "commit", "--quiet", "--all", "-m", "break it")
    git(root, "tag", "--force", TAG)
    seen = diagnosed(root, ID)
    found = seen["diagnosis"]["cause"]
    assert (found["id"], found["confidence"], seen["offers"]) == ("unknown", "unknown", [])


def test_an_engine_that_is_starved_is_not_known_and_its_starving_is_kept_by_nobody(root: Path) -> None:
    assert verdict(root, ID) == "clear"
    starved = f"ulimit -n 6; exec {sys.executable} -P -m console -C {root} --json runbook detect"
    done = run(["/bin/sh", "-c", starved], limit_seconds=LIMIT_SECONDS)
    assert done.exit_code == ExitCode.NOT_EVALUATED, done.narration
    told = {each["id"]: each for each in json.loads(done.stdout)["symptoms"]}
    assert told[ID]["verdict"] == "unknown"
    assert "Too many open files" in told[ID]["observed"]
    assert [name for name, each in told.items() if each["verdict"] == "detected"] == []
    assert [name for name, look in read_looks(root, Notes()).items() if look.since is not None] == []


@pytest.mark.parametrize("fault", ["raise MemoryError\n", "import os; os.kill(os.getpid(), 9)\n"])
def test_an_engine_that_the_machine_ended_is_not_known(root: Path, fault: str) -> None:
    (root / CLI).write_text(
        fault + (root / CLI).read_text().replace("from __future__ import annotations", "")
    )
    assert verdict(root, ID) == "unknown"
