"""ENGINE.wont-start in a workspace's own engine. Its drill repairs it and takes the repair back."""

from __future__ import annotations

import errno
import json
import shutil
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.faults import ExitCode
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import read_looks
from runbook.probes.workspace import Workspace
from runbook.symptoms.engine_wont_start import diagnose
from tests.git_commands import git
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.drills.faces import six_faces
from tests.runbook.symptoms.walked import diagnosed, filled, repaired, verdict
from tests.runbook.workspaces import TAG
from tests.waiting import LIMIT_SECONDS

ID = "ENGINE.wont-start"
CLI = "pipeline/cli.py"
SETTINGS = "distill.toml"


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
    """A command imports stages when it is called, so that ``config show`` says nothing of them.
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
    assert done.stderr.splitlines()[-1] == f"undo: distill undo {first['incident_id']}"
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


REFUSED = (
    ('accept_at = "high"', "must be a number"),
    ("accept_att = 0.5", "accept_at"),
    ("accept_at = = 1", "is not valid TOML"),
)


def refused(root: Path, line: str = REFUSED[0][0]) -> str:
    """``line`` at the end of the settings, in a section of its own. Returns the place of it."""
    path = root / SETTINGS
    with path.open("a") as file:
        file.write(f"\n[scoring]\n{line}\n")
    return f"{SETTINGS}:{len(path.read_text().splitlines())}"


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_settings_that_the_engine_refuses_are_told_by_line_and_reason_and_come_back(
    tmp_path: Path, line: str, why: str
) -> None:
    root = filled(tmp_path / "w").root
    good = (root / SETTINGS).read_bytes()
    assert verdict(root, ID) == "clear"
    place = refused(root, line)
    seen = diagnosed(root, ID)
    observed, found = seen["detection"]["observed"], seen["diagnosis"]["cause"]
    assert observed.startswith(f"it refuses the settings: {place}")
    assert why in observed
    assert (found["id"], found["confidence"]) == ("settings_refused", "certain")
    assert [each["id"] for each in seen["offers"]] == ["restore-settings"]
    repaired(root, ID)
    assert (root / SETTINGS).read_bytes() == good
    assert verdict(root, ID) == "clear"


def test_no_value_is_told_of_settings_that_are_no_toml(tmp_path: Path) -> None:
    root = filled(tmp_path / "w").root
    refused(root, "accept_at = = 1")
    cause = json.dumps(diagnosed(root, ID)["diagnosis"]["cause"])
    assert f"{SETTINGS} (the whole file): TOML \\u2192 no TOML" in cause
    assert "not set" not in cause


def test_a_look_before_the_edit_is_stale_and_one_after_it_shows_on_every_face(tmp_path: Path) -> None:
    root = filled(tmp_path / "w").root
    assert ID not in six_faces(root)["runbook detect"]
    place = refused(root)
    status = json.loads(distill(root, "status", "--json").stdout)
    (kept,) = (each for each in status["answers"] if each["id"] == ID)
    assert kept["stale"]
    for face, said in six_faces(root).items():
        assert place in said[ID][0], face


def test_settings_that_were_committed_since_the_tag_come_back_as_they_were_committed(tmp_path: Path) -> None:
    root = filled(tmp_path / "w").root
    with (root / SETTINGS).open("a") as file:
        file.write("\n[drift]\nwarn_pct = 25.0\n")
    git(root, "commit", "--quiet", "--all", "-m", "drift: a little more")
    committed = (root / SETTINGS).read_bytes()
    refused(root)
    assert [each["id"] for each in diagnosed(root, ID)["offers"]] == ["restore-committed", "restore-settings"]
    repaired(root, ID)
    assert (root / SETTINGS).read_bytes() == committed


def test_settings_that_are_as_tagged_are_left_to_a_person(tmp_path: Path) -> None:
    root = filled(tmp_path / "w").root
    refused(root)
    git(root, "commit", "--quiet", "--all", "-m", "break them")
    git(root, "tag", "--force", TAG)
    seen = diagnosed(root, ID)
    assert (seen["diagnosis"]["cause"]["id"], seen["offers"]) == ("settings_refused", [])


def test_code_that_changed_is_blamed_for_refusing_settings_that_did_not(root: Path) -> None:
    model = root / "pipeline/settings/model.py"
    text = model.read_text()
    assert text.count("warn_pct: ") == 1
    model.write_text(text.replace("warn_pct: ", "warns_pct: "))
    with (root / SETTINGS).open("a") as file:
        file.write("\n[drift]\nwarn_pct = 25.0\n")
    git(root, "add", SETTINGS)
    git(root, "commit", "--quiet", "-m", "drift: a little more")
    git(root, "tag", "--force", TAG)
    found = diagnosed(root, ID)
    assert "warn_pct" in found["detection"]["observed"]
    assert found["diagnosis"]["cause"]["id"] == "code_changed"
    repaired(root, ID)
    assert verdict(root, ID) == "clear"


def test_a_file_that_does_not_load_is_told_before_the_settings(root: Path) -> None:
    refused(root)
    (root / STAGE).write_text("def broken(:\n")
    assert diagnosed(root, ID)["detection"]["observed"].startswith(f"{STAGE}:")


def test_settings_that_the_disk_does_not_give_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = filled(tmp_path / "w").root
    told = Ended(ExitCode.NOT_EVALUABLE, b"", b"what happened  distill.toml could not be read: I/O.\n")

    def unreadable(_path: Path) -> bytes:
        raise OSError(errno.EIO, "I/O")

    monkeypatch.setattr(Workspace, "engine", lambda *_words, **_how: told)
    assert verdict(root, ID) == "detected"
    monkeypatch.setattr(diagnose, "bytes_or_empty", unreadable)
    assert verdict(root, ID) == "unknown"
