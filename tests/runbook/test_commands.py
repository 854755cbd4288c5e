"""The runbook's command lines as an operator and a script meet them: exit codes, output, processes."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from console.cli.commands import BY_NAME
from pipeline.contracts.faults import StorageError
from pipeline.contracts.symptoms import ByHand
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.reading.incidents import incident_ids
from runbook.actions.rerun_stage import plan_command
from runbook.change.incident import load_incident
from runbook.change.refusals import RefusedError
from runbook.commands.consenting import find_plan
from runbook.probes.evidence import Detection
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.tell.pages import lint
from runbook.wizard.detecting import detect_all, exit_code
from runbook.wizard.session import open_session
from tests.architecture.fresh_interpreter import REPOSITORY
from tests.runbook.command_line import CONSENT, planned
from tests.runbook.command_line import started as distill
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace, tree
from tests.waiting import LIMIT_SECONDS

SCHEMA = "pipeline/schemas/sft.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make_workspace(tmp_path / "w").root
    (made / SFT).write_text(f"{LEAK}\n")
    return made


def test_quarantine_previews_first_then_acts_by_hash_and_undo_is_byte_identical(root: Path) -> None:
    before = tree(root)
    preview = distill(root, "quarantine", SFT)
    assert preview.returncode == 11
    assert "code " in preview.stdout
    assert "approval needed: distill runbook apply --plan" in preview.stderr
    assert tree(root) == before
    plan = planned(root, "quarantine", SFT)
    done = distill(root, "quarantine", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 0, done.stderr
    assert not (root / SFT).exists()
    back = planned(root, "undo", plan["incident_id"])
    assert distill(root, "undo", "--plan", back["plan_hash"], *CONSENT).returncode == 0
    assert tree(root) == before


def test_what_was_carried_out_is_answered_with_when_and_not_done_again(root: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    by_hash = ("--plan", plan["plan_hash"], *CONSENT)
    assert distill(root, "quarantine", *by_hash).returncode == 0
    again = distill(root, "quarantine", *by_hash)
    assert (again.returncode, again.stdout[:15]) == (0, "already applied")
    back = planned(root, "undo", plan["incident_id"])
    undo = ("--plan", back["plan_hash"], *CONSENT)
    assert distill(root, "undo", *undo).returncode == 0
    after = tree(root)
    again = distill(root, "undo", *undo)
    assert (again.returncode, again.stdout[:18]) == (0, "already undone at "), again.stderr
    told = json.loads(distill(root, "undo", *undo, "--json").stdout)
    assert (told["exit_code"], told["says"][:14]) == (0, "already undone")
    nothing = distill(root, "undo", plan["incident_id"])
    assert (nothing.returncode, "Already undone at 20" in nothing.stderr) == (2, True)
    void = distill(root, "quarantine", *by_hash)
    assert (void.returncode, "and undone at 20" in void.stderr) == (11, True)
    assert tree(root) == after


def test_the_same_preview_asked_for_again_is_the_same_plan(root: Path) -> None:
    first, second = planned(root, "quarantine", SFT), planned(root, "quarantine", SFT)
    assert first["plan_hash"] == second["plan_hash"]
    (root / SFT).write_text("more\n")
    assert planned(root, "quarantine", SFT)["plan_hash"] != first["plan_hash"]


def test_restore_shows_a_real_difference_and_a_rehearsed_undo(root: Path) -> None:
    (root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    preview = distill(root, "restore", SCHEMA)
    assert preview.returncode == 11
    assert "-ALLOWED = ('rejected',)" in preview.stdout
    assert "rehearsed: yes, " in preview.stdout
    assert "byte-identical after undo" in preview.stdout


def test_a_plan_without_a_name_or_a_reason_is_not_carried_out(root: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    for flags in ((), ("--approve-as", "mira"), ("--reason", "x")):
        assert distill(root, "runbook", "apply", "--plan", plan["plan_hash"], *flags).returncode == 2
    assert (root / SFT).exists()


def test_a_plan_that_became_void_ends_with_11_and_changes_nothing(root: Path) -> None:
    (root / SCHEMA).write_text("loosened\n")
    plan = planned(root, "restore", SCHEMA)
    (root / SCHEMA).write_text("somebody else\n")
    done = distill(root, "runbook", "apply", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 11
    assert "has changed since the plan was made" in done.stderr
    assert (root / SCHEMA).read_text() == "somebody else\n"


def test_a_second_operator_ends_with_75_and_is_told_who(root: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    incident = load_incident(root, plan["incident_id"])
    with incident.lease():
        done = distill(root, "runbook", "apply", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 75
    assert f"pid {os.getpid()}" in done.stderr
    assert (root / SFT).exists()


def test_a_plan_that_may_be_in_a_journal_that_cannot_be_read_is_no_slip(
    root: Path,
) -> None:
    plan = planned(root, "quarantine", SFT)
    journal = root / "reports/incidents" / plan["incident_id"] / "journal.jsonl"
    place = journal.parent
    journal.rename(journal.with_name("aside"))
    journal.mkdir()  # refuses to be read, whoever asks
    with pytest.raises(StorageError):
        find_plan(root, plan["plan_hash"])
    with pytest.raises(RefusedError):
        find_plan(root.parent, plan["plan_hash"])
    place.rename(place.with_name("x"))
    place.parent.rename(place.parent.with_name("y"))
    place.parent.write_text("no folder")
    with pytest.raises(StorageError):
        find_plan(root, plan["plan_hash"])


def test_a_plan_that_nobody_made_is_refused(root: Path) -> None:
    for digest in ("ab", "0" * 64):
        assert distill(root, "runbook", "apply", "--plan", digest, *CONSENT).returncode == 2


@pytest.mark.parametrize(
    "line", ["quarantine", "quarantine /etc/passwd", "restore", "undo", "undo none", "incident show"]
)
def test_a_command_that_names_nothing_usable_ends_with_2_and_leaves_no_incident(
    root: Path, line: str
) -> None:
    words = line.split()
    assert distill(root, *words).returncode == 2
    assert incident_ids(root) == []


def test_a_console_that_is_cut_off_while_applying_takes_nothing_with_it(root: Path) -> None:
    (root / "pipeline/__main__.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "root = Path(sys.argv[sys.argv.index('-C') + 1])\n"
        "(root.parent / 'started').write_text('now')\n"
        "(root.parent / 'go').read_text()\n"
        f"(root / '{SFT}').write_text('clean')\n"
    )
    trust_what_we_made(root)
    for name in ("started", "go"):
        os.mkfifo(root.parent / name)
    started = os.open(root.parent / "started", os.O_RDONLY | os.O_NONBLOCK)
    session = open_session(Workspace(root), None, None, title="export again", name="export")
    plan = session.adopt(plan_command(session.planning(), ["export-sft"], title="Export again"))
    console = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "console",
            "-C",
            str(root),
            "runbook",
            "apply",
            "--plan",
            plan.hash,
            *CONSENT,
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert select.select([started], [], [], 30)[0]
    os.close(started)
    os.killpg(console.pid, signal.SIGHUP)
    assert console.wait(LIMIT_SECONDS) == -signal.SIGHUP
    (root.parent / "go").write_text("on")
    _wait_for_lease(root, session.incident.id)
    assert (root / SFT).read_text() == "clean"
    assert session.standing.state == "resolved"


def _wait_for_lease(root: Path, incident_id: str) -> None:
    """Until the worker lets go of the incident: it says so by its lock, not by a file."""
    with (load_incident(root, incident_id).folder / "lease").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def test_incidents_are_listed_shown_verified_and_packed(root: Path, tmp_path: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    assert plan["incident_id"] in distill(root, "incident", "list").stdout
    assert "# Incident" in distill(root, "incident", "show", plan["incident_id"]).stdout
    first = json.loads(distill(root, "incident", "show", plan["incident_id"], "--step", "1", "--json").stdout)
    assert first["state"] == "detected"
    assert distill(root, "incident", "verify", plan["incident_id"]).returncode == 0
    pack = tmp_path / "pack.tar.gz"
    assert distill(root, "incident", "export", plan["incident_id"], "--out", str(pack)).returncode == 0
    with tarfile.open(pack) as opened:
        names = {Path(name).name for name in opened.getnames()}
    assert {"journal.jsonl", "head.json", "incident.json", "incident.md"} <= names
    journal = load_incident(root, plan["incident_id"]).journal.path
    journal.write_bytes(journal.read_bytes().replace(b"opened", b"closed", 1))
    broken = distill(root, "incident", "verify", plan["incident_id"])
    assert broken.returncode == 1
    assert "entry 1" in broken.stdout


def test_a_preview_that_nobody_wants_is_closed_with_a_reason(root: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    assert distill(root, "incident", "close", plan["incident_id"]).returncode == 2
    assert distill(root, "incident", "close", plan["incident_id"], "--reason", "false alarm").returncode == 0
    listed = json.loads(distill(root, "incident", "list", "--json").stdout)
    assert [each["state"] for each in listed["incidents"]] == ["abandoned"]
    assert planned(root, "quarantine", SFT)["incident_id"] != plan["incident_id"]


def _raised(symptom: Symptom, name: str, **more: Any) -> Symptom:
    def look(workspace: Workspace) -> Detection:
        return symptom.detect(workspace).model_copy(update={"symptom_id": name})

    return Symptom(**{**symptom.__dict__, "id": name, "detect": look, **more})


def test_a_symptom_that_another_one_explains_stands_beneath_it(root: Path) -> None:
    first = leak_symptom()
    second = _raised(first, "S1.P5.summary", explained_by=(first.id,))
    found = detect_all(Workspace(root), [first, second])
    assert [(each.symptom.id, each.beneath) for each in found] == [
        (first.id, None),
        ("S1.P5.summary", first.id),
    ]
    assert exit_code(found, time.time()) == 10


def test_a_detector_that_raises_is_unknown_and_never_clear(root: Path) -> None:
    def broken(_workspace: Workspace) -> Detection:
        raise ZeroDivisionError

    found = detect_all(Workspace(root), [_raised(leak_symptom(), "x", detect=broken)])
    assert found[0].detection.verdict == "unknown"
    assert exit_code(found, time.time()) == 5


def test_lint_names_commands_checks_and_symptoms_that_are_not_there() -> None:
    good = _raised(leak_symptom(), "x", causes=(("a", "b"),), by_hand=(ByHand("do", "distill run-all"),))
    bad = _raised(good, "y", checks=("P9.none",), explained_by=("z",), by_hand=(ByHand("do", "distill fly"),))
    said = "\n".join(lint([good, bad], BY_NAME))
    for wrong in ("y: there is no check P9.none", "y: there is no symptom z", "distill fly"):
        assert wrong in said
    assert "x:" not in said
    assert "no symptom answers P0.recon-doc" in said
