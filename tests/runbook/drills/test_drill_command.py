"""``distill drill``: started, checked while broken, repaired, checked again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode
from runbook.drills import start
from runbook.drills.start import break_sound, digests, read_note
from runbook.symptoms import DRILLS, SYMPTOMS
from runbook.symptoms.s1_p0_recon_doc import drill as s1_p0_recon_doc
from tests.runbook.command_line import distill, started
from tests.runbook.drills.sound import sound_copy
from tests.runbook.symptoms.walked import repaired

DRILL = s1_p0_recon_doc.DRILL
DOC = s1_p0_recon_doc.DOC


def test_every_symptom_has_a_drill_and_every_drill_an_id_of_its_own() -> None:
    assert {drill.symptom_id for drill in DRILLS} == {symptom.id for symptom in SYMPTOMS}
    assert len({drill.id.lower() for drill in DRILLS}) == len(DRILLS)
    assert all(drill.title for drill in DRILLS)


def test_the_list_names_every_drill_with_its_severity(tmp_path: Path) -> None:
    told = json.loads(started(tmp_path, "drill", "list", "--json").stdout)["drills"]
    assert [each["id"] for each in told] == [drill.id for drill in DRILLS]
    assert {each["severity"] for each in told} <= {"critical", "error", "warning", "info"}


def test_a_started_drill_is_broken_and_does_not_tell_where(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the workspace that was built once, as every drill's is."""
    monkeypatch.setattr(start, "build_sound", lambda root, _say: sound_copy(template, root, 0))
    root = tmp_path / "sandbox"
    done = distill(tmp_path, "drill", "start", DRILL.id, "--seed", "3", "--dir", str(root), "--no-console")
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout.strip() == str(root)
    assert DOC not in done.stdout + done.stderr
    assert re.findall(r"(\d) of (\d)  ", done.stderr) == [("1", "5"), ("2", "5")], "audited or not"
    note = read_note(root)
    assert (note.seed, note.symptom_id) == (3, DRILL.symptom_id)
    assert note.sound != note.planted == digests(root)
    again = distill(tmp_path, "drill", "start", DRILL.id, "--dir", str(root), "--no-console")
    assert again.returncode == ExitCode.USAGE
    assert "is there already" in again.stderr


@pytest.mark.slow
def test_check_tells_broken_from_recovered_and_what_was_left_behind(template: Path, tmp_path: Path) -> None:
    root = sound_copy(template, tmp_path / "w", 0).root
    sound = (root / DOC).read_bytes()
    # This seed has the fault committed.
    note = break_sound(root, DRILL, 4, lambda _text: None)
    assert "committed" in note.says
    broken = distill(root, "drill", "check")
    assert broken.returncode == ExitCode.CHECK_FAILED, broken.stderr
    assert broken.stdout.startswith("NOT recovered: S1.P0.recon-doc")
    assert f"{DOC}: still as the drill left it" in broken.stdout
    repaired(root, DRILL.symptom_id)
    assert (root / DOC).read_bytes() == sound
    done = distill(tmp_path, "drill", "check", str(root), "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    told = json.loads(done.stdout)
    assert (told["recovered"], told["still"], told["planted"]) == (True, [], note.says)
    assert 0 <= told["opened_after_seconds"] <= told["resolved_after_seconds"]
    assert told["left_behind"] == [f"{DOC}: as it was, and not committed"]


def test_the_same_seed_plants_the_same_fault_and_seeds_differ(template: Path, tmp_path: Path) -> None:
    faults = []
    for number, seed in enumerate((1, 1, *range(2, 8))):
        root = sound_copy(template, tmp_path / str(number), 0).root
        faults.append(break_sound(root, DRILL, seed, lambda _text: None).says)
    assert faults[0] == faults[1]
    assert len(set(faults)) > 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("drill start", "No symptom was named"),
        ("drill start S9.nothing", "There is no drill S9.nothing"),
        ("drill check", "No drill was started"),
    ],
)
def test_what_is_no_drill_is_refused(template: Path, line: str, says: str) -> None:
    done = distill(template, *line.split())
    assert done.returncode == ExitCode.USAGE
    assert says in done.stderr
