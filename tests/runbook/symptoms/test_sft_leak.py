"""S1.P4.sft-leak, planted, found, contained, explained, repaired and taken back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Verdict
from runbook.probes.workspace import Workspace
from runbook.symptoms import SYMPTOMS
from runbook.symptoms.s1_p4_sft_leak.diagnose import SYMPTOM, detect
from runbook.wizard.detecting import Found, detect_all, exit_code, keep
from tests.pipeline.engine.workspaces import make_workspace
from tests.runbook.command_line import distill, planned
from tests.runbook.symptoms.walked import (
    applied,
    cause,
    diagnosed,
    raised,
    repaired,
    taken_back,
    verdict,
)
from tests.runbook.workspaces import SFT, tree

ID = "S1.P4.sft-leak"
SCORED = "data/scored-runs/runs.jsonl"


def append_rejected(root: Path) -> None:
    """Behind the engine's back, a row of a rejected run goes into the export."""
    scored = [json.loads(line) for line in (root / SCORED).read_bytes().splitlines()]
    rejected = next(row for row in scored if row["category"] == "rejected")
    row = json.loads((root / SFT).read_bytes().splitlines()[0])
    row |= {"source_run_id": rejected["run_id"], "provenance": rejected["provenance"]}
    with (root / SFT).open("a") as file:
        file.write(json.dumps(row) + "\n")


def reject_an_exported_run(root: Path) -> None:
    """Scored again since: a run that was exported is rejected now."""
    exported = json.loads((root / SFT).read_bytes().splitlines()[0])["source_run_id"]
    rows = [json.loads(line) for line in (root / SCORED).read_bytes().splitlines()]
    for row in rows:
        if row["run_id"] == exported:
            row |= {"category": "rejected"}
    (root / SCORED).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_clean_export_raises_nothing(root: Path) -> None:
    assert raised(root) == []
    assert verdict(root, ID) == "clear"


def test_no_export_is_not_known_and_never_clear(root: Path) -> None:
    (root / SFT).unlink()
    assert detect(Workspace(root)).verdict == "unknown"
    said = distill(root, "runbook", "detect").stdout
    assert said.startswith(f"S1.P5.summary          error     {SFT} is gone")
    assert ID not in said


def test_before_the_first_export_nothing_is_known_and_nobody_is_blind(tmp_path: Path) -> None:
    workspace = Workspace(make_workspace(tmp_path / "w"))
    symptom = next(each for each in SYMPTOMS if each.id == ID)
    detection = detect(workspace)
    assert (detection.verdict, detection.nothing_yet) == ("unknown", True)
    assert exit_code([Found(symptom, detection)], detection.read_at) == ExitCode.OK


@pytest.mark.parametrize("how", ["deleted", "quarantined"])
def test_an_export_that_is_gone_leaves_the_detector_blind(root: Path, how: str) -> None:
    if how == "quarantined":
        (root / SFT).rename(root / f"{SFT}.QUARANTINED-1700000000")
        shutil.rmtree(root / paths.REPORTS)
        (root / paths.EXPORT_MANIFEST).unlink()
    else:
        (root / SFT).unlink()
    symptom = next(each for each in SYMPTOMS if each.id == ID)
    detection = detect(Workspace(root))
    assert (detection.verdict, detection.nothing_yet) == ("unknown", False)
    assert exit_code([Found(symptom, detection)], detection.read_at) == ExitCode.NOT_EVALUATED


@pytest.mark.parametrize("how", ["deleted", "dangling", "leading out"])
def test_what_is_no_export_is_told_in_the_same_words_before_a_look_and_after(root: Path, how: str) -> None:
    (root / SFT).unlink()
    if how != "deleted":
        (root / SFT).symlink_to("nowhere" if how == "dangling" else "/nowhere/else")
    before = _leak_in_status(root)
    keep(root, detect_all(Workspace(root), SYMPTOMS))
    detection = detect(Workspace(root))
    assert before == (detection.verdict, detection.observed) == _leak_in_status(root)


def _leak_in_status(root: Path) -> tuple[str, str]:
    answers = json.loads(distill(root, "status", "--json", "--firewall-seconds", "60").stdout)["answers"]
    (found,) = (each for each in answers if each["id"] == ID)
    return found["verdict"], found["observed"]


def test_every_symptom_has_an_answer_before_anybody_has_looked(root: Path) -> None:
    answers = json.loads(distill(root, "status", "--json").stdout)["answers"]
    assert {each["id"] for each in answers} == {each.id for each in SYMPTOMS}
    never = {each["id"]: each["observed"] for each in answers if each["nothing_yet"]}
    assert never["ENGINE.wont-start"] == "not run yet: distill runbook detect"


def test_a_quarantine_says_what_still_points_to_the_file(root: Path) -> None:
    append_rejected(root)
    plan = planned(root, "runbook", "plan", ID, "--offer", "quarantine")
    assert plan["rehearsal"] is None
    [note] = plan["plan"]["notes"]
    assert note.startswith("exports/manifest.json lists the file until the next export")


def test_a_row_appended_by_another_writer_is_found_and_explained_and_nothing_is_changed(root: Path) -> None:
    append_rejected(root)
    broken = tree(root)
    assert raised(root) == [ID, "S1.P5.summary"]
    found = diagnosed(root, ID)["diagnosis"]
    assert (found["cause"]["id"], found["cause"]["confidence"]) == ("other_writer", "certain")
    said = [each["says"] for each in found["cause"]["evidence"]]
    begins = f"{SFT} begins with what the receipt claims, 70 rows; 1 line after that no receipt accounts for."
    assert begins in said
    assert found["cause"]["places"][0].startswith(f"{SFT}:71 ")
    set_aside = {each["id"]: each["evidence"] for each in found["considered"]}
    assert {each["stance"] for each in set_aside["stale_export"]} == {"against"}
    assert tree(root) == broken


def test_an_export_whose_runs_were_scored_again_is_stale(root: Path) -> None:
    reject_an_exported_run(root)
    broken = tree(root)
    assert raised(root) == [ID, "S1.P5.summary"]
    found = diagnosed(root, ID)["diagnosis"]["cause"]
    assert (found["id"], found["confidence"]) == ("stale_export", "certain")
    assert SCORED in [line for each in found["evidence"] for line in each["lines"]]
    first = planned(root, "runbook", "plan", ID)
    # The run stands in a pair and a playbook, too.
    assert first["plan"]["title"].startswith("Quarantine "), "contained before anything else"
    plan = repaired(root, ID, "--offer", "re-export")
    assert verdict(root, ID) == "clear"
    taken_back(root, plan, broken)


def test_quarantine_is_offered_undiagnosed_ends_mitigated_and_the_repair_follows_it(root: Path) -> None:
    append_rejected(root)
    plan = repaired(root, ID, "--offer", "quarantine", ends="mitigated")
    assert not (root / SFT).exists()
    again = planned(root, "runbook", "plan", ID, "--incident", plan["incident_id"])
    assert again["plan"]["steps"][0]["arguments"] == ["export-sft"]
    applied(root, again)
    assert verdict(root, ID) == "clear"


def test_an_export_that_the_engine_leaked_itself_is_honestly_unknown_and_only_contained(root: Path) -> None:
    append_rejected(root)
    receipt = next((root / paths.REPORTS).glob("*/receipts/export.json"))
    value = json.loads(receipt.read_bytes())
    claim = next(each for each in value["outputs"] if each["path"] == SFT)
    claim["sha256"], claim["bytes"] = _digest_and_size(root)
    receipt.write_text(json.dumps(value))
    assert cause(root, ID) == ("unknown", "unknown")
    offers = [each["id"] for each in diagnosed(root, ID)["offers"]]
    assert offers == ["quarantine"]


def _digest_and_size(root: Path) -> tuple[str, int]:
    digest, _ = tree(root)[SFT]
    return digest, (root / SFT).stat().st_size


def test_a_formatted_file_that_nothing_accounts_for_is_quarantined_and_the_export_stays(root: Path) -> None:
    stray = root / paths.FORMATTED / "chat.jsonl"
    stray.parent.mkdir()
    stray.write_text('{"messages": []}\n')
    broken = tree(root)
    assert raised(root) == [ID]
    assert cause(root, ID) == ("other_writer", "certain")
    plan = repaired(root, ID, ends="mitigated")
    assert not stray.exists()
    assert (root / SFT).exists()
    taken_back(root, plan, broken)


def test_a_script_meets_the_words_a_person_meets(root: Path) -> None:
    append_rejected(root)
    said = distill(root, "runbook", "diagnose", ID).stdout
    assert "cause: The file is not what any receipt accounts for" in said
    assert "offer re-export" in said


# Evaluation sets

PAIRS = str(paths.PREFERENCE_EXPORT)


def declare(root: Path, asked: str) -> None:
    """A test set of one item, declared after the export."""
    (root / "test_set.jsonl").write_text(json.dumps({"q": asked}) + "\n", encoding="utf-8")
    with (root / paths.SETTINGS).open("a", encoding="utf-8") as settings:
        settings.write('\n[[evaluation]]\nname = "quiz"\npath = "test_set.jsonl"\nprompt = "q"\n')


def asked_in(root: Path, path: str) -> str:
    """What a user asked in the first row, as long as an item has to be."""
    row = json.loads((root / path).read_bytes().splitlines()[0])
    turns = row["messages"] if path == SFT else row["prompt"]
    return next(str(turn["content"]) for turn in turns if turn["role"] == "user")


def test_a_set_that_was_declared_after_the_export_is_the_cause_and_both_exports_are_contained(
    root: Path,
) -> None:
    declare(root, asked_in(root, PAIRS))
    broken = tree(root)
    assert ID in raised(root)
    found = diagnosed(root, ID)
    assert (found["diagnosis"]["cause"]["id"], found["diagnosis"]["cause"]["confidence"]) == (
        "sets_changed",
        "certain",
    )
    assert "The run looked for evaluation sets: none. Declared now: quiz." in [
        each["says"] for each in found["diagnosis"]["cause"]["evidence"]
    ]
    places = found["diagnosis"]["cause"]["places"]
    assert any(place.startswith(f"{PAIRS}:1 ") for place in places)
    contained = planned(root, "runbook", "plan", ID, "--offer", "quarantine")["plan"]
    assert contained["title"] == "Quarantine 2 files"
    assert {SFT, PAIRS} <= {step["path"] for step in contained["steps"] if step["type"] == "rename_file"}
    plan = repaired(root, ID, "--offer", "re-export")
    assert verdict(root, ID) == "clear"
    assert json.loads((root / paths.DECONTAMINATION).read_bytes())["sets"][0]["rows_refused"] > 0
    taken_back(root, plan, broken)


def test_pairs_alone_are_quarantined_and_the_sft_export_stays(root: Path) -> None:
    asked = asked_in(root, PAIRS)
    lines = (root / SFT).read_text().splitlines()
    kept = [line for line in lines if asked not in json.loads(line)["instruction"]]
    (root / SFT).write_text("".join(f"{line}\n" for line in kept))
    declare(root, asked)
    assert f"in {PAIRS}" in detect(Workspace(root)).observed
    plan = repaired(root, ID, "--offer", "quarantine", ends="mitigated")
    assert plan["plan"]["title"] == f"Quarantine {PAIRS}"
    assert not (root / PAIRS).exists()
    assert (root / SFT).exists()


@pytest.mark.parametrize("path", [str(path) for path in paths.EXPORT_FILES.values()])
def test_the_file_that_offends_is_the_one_that_is_quarantined_and_named(root: Path, path: str) -> None:
    """Whatever wall finds it: the firewall names the file."""
    finding = {"wall": "moat", "file": path, "line": 3, "run_id": "r", "detail": "d"}
    facts = {"findings": [finding], "walls": ["moat"], "sha256": None, "formatted": None, "set_aside": []}
    seen = detect(Workspace(root)).model_copy(update={"facts": facts, "verdict": Verdict.DETECTED})
    outputs = {probe.id: probe.look(Workspace(root), 60.0) for probe in SYMPTOM.probes(seen)}
    diagnosis = SYMPTOM.classify(seen, outputs)
    assert [place for place in diagnosis.cause.places if place.startswith(f"{path}:3 r")]
    assert [offer.title for offer in SYMPTOM.offers(seen, None)] == [f"Quarantine {path} now"]
