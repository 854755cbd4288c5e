"""S2.drift: what moved, what is decided, and what comes first. Its drills take decisions back."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.settings_history import SettingsHistory
from runbook.probes.workspace import Workspace
from runbook.symptoms.s2_drift.causes import FIELDS, FIREWALL, OTHERS
from runbook.symptoms.s2_drift.diagnose import SYMPTOM, detect, rerun
from tests.git_commands import git
from tests.pipeline.audit.audited import passing_acceptance
from tests.pipeline.engine.workspaces import engine, run_all
from tests.runbook.command_line import distill
from tests.runbook.symptoms.test_gate import history
from tests.runbook.symptoms.test_sft_leak import append_rejected
from tests.runbook.symptoms.walked import cause, diagnosed, filled, repaired, verdict

ID = "S2.drift"
WHY = ("--answer", "note=the second site was switched on")


@cache
def _audited(metric: str) -> Path:
    """Audited against a baseline that holds half of what ``metric`` is: it warns."""
    above = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    root = filled(above / "w").root
    (root / paths.ACCEPTANCE_DATA).parent.mkdir(parents=True, exist_ok=True)
    passing_acceptance(root / paths.ACCEPTANCE_DATA)
    gate = ("--acceptance-report", str(root / paths.ACCEPTANCE_DATA))
    seeded = engine(root, "audit-full", *gate)
    assert seeded.returncode == 0, seeded.stdout
    journal = root / paths.AUDIT_BASELINES
    row = json.loads(journal.read_bytes())
    row["metrics"][metric] /= 2
    journal.write_text(json.dumps(row) + "\n")
    _adopted(root)
    report = engine(root, "audit-full", *gate)
    assert "1 drift warning" in report.stdout
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_audited("evidence_rows"), tmp_path / "w"))


def test_what_moved_is_explained_and_a_decision_about_it_counts_at_once(root: Path) -> None:
    assert cause(root, ID) == ("new_source_data", "likely")
    repaired(root, ID, "--offer", "dismiss", *WHY)
    assert verdict(root, ID) == "clear"
    last = json.loads((root / paths.AUDIT_BASELINES).read_bytes().splitlines()[-1])
    assert (last["kind"], last["decided_metrics"]) == ("dismiss", ["evidence_rows"])


def _baseline(root: Path, **values: object) -> None:
    """One row, by which nothing has moved but what ``values`` say."""
    journal = root / paths.AUDIT_BASELINES
    row = json.loads(journal.read_bytes().splitlines()[-1])
    row["metrics"]["evidence_rows"] *= 2
    for name, value in values.items():
        (row if name in row else row["metrics"])[name] = value
    journal.write_text(json.dumps(row) + "\n")
    _adopted(root)


def _adopted(root: Path) -> None:
    """What stands in the baselines was meant."""
    adopted = engine(root, "baseline", "adopt", "--note", "a test's own")
    assert adopted.returncode == 0, adopted.stderr


def _commit_partial_at(root: Path, value: float) -> str:
    settings = root / paths.SETTINGS
    settings.write_text(f"{settings.read_text()}\n[scoring]\npartial_at = {value}\n")
    git(root, "commit", "--quiet", "--all", "-m", "settings: ask more of partly right runs")
    return git(root, "rev-parse", "HEAD").strip()[:12]


def test_a_changed_setting_is_named_with_its_commit_and_put_back_before_anybody_decides(root: Path) -> None:
    _baseline(root)
    commit = _commit_partial_at(root, 0.9)
    with (root / paths.SETTINGS).open("a") as file:
        file.write("\n[drift]\nmin_z = 2.9\n")
    run_all(root)
    told = diagnosed(root, ID)
    found = told["diagnosis"]["cause"]
    assert (found["id"], found["confidence"]) == ("settings_changed", "certain")
    place = found["places"][0]
    assert place.startswith("distill.toml scoring.partial_at: not set → 0.9 (")
    assert f"({commit} " in place
    assert place.endswith("settings: ask more of partly right runs)")
    assert not [each for each in found["places"] if "min_z" in each]  # it moves no number
    assert [each["id"] for each in told["offers"]] == ["restore-settings", "dismiss", "accept"]
    gate = ("--acceptance-report", str(root / paths.ACCEPTANCE_DATA))
    assert "drift warning" in engine(root, "audit-full", *gate).stdout
    repaired(root, ID)
    assert "partial_at = 0.9" not in (root / paths.SETTINGS).read_text()


def test_a_setting_that_cannot_move_what_moved_is_not_blamed(root: Path) -> None:
    _commit_partial_at(root, 0.7)
    assert cause(root, ID) == ("new_source_data", "likely")


def test_a_setting_from_before_the_baseline_is_not_certain(root: Path) -> None:
    _commit_partial_at(root, 0.7)
    _baseline(root, **{"category.partially_accepted": 200, "recorded_at": "2098-01-01T00:00:00Z"})
    (root / paths.SETTINGS).touch()  # the audit is older: it is measured now
    assert cause(root, ID) == ("settings_changed", "likely")


def test_a_changed_scorer_is_put_back_before_anybody_decides() -> None:
    found = _diagnosed(moved=("P3",), files=("stages/scoring_rules.py",))
    assert (found.cause.id, found.cause.confidence) == ("scorer", "likely")
    assert "pipeline/stages/scoring_rules.py" in found.cause.places[0]
    assert [each.id for each in SYMPTOM.offers(_detection(), found)] == ["restore-code", "dismiss", "accept"]


def test_another_symptom_that_moves_numbers_comes_first_and_what_nobody_saw_is_not_decided() -> None:
    found = _diagnosed(shown=("S1.P0.source-missing",))
    assert (found.cause.id, found.see) == ("other_symptom", "S1.P0.source-missing")
    assert SYMPTOM.offers(_detection(), found) == ()
    blind = _diagnosed(trouble="no such file")
    assert (blind.cause.id, SYMPTOM.offers(_detection(), blind)) == ("unknown", ())


def test_a_metric_of_no_known_phase_can_be_decided() -> None:
    """Reports of older engines tell no phase of a metric that is gone."""
    found = _diagnosed(moved=("",))
    assert found.cause.id == "unknown"
    assert [each.id for each in SYMPTOM.offers(_detection(), found)] == ["dismiss", "accept"]


@pytest.mark.parametrize("decision", ["accept", "dismiss"])
def test_a_metric_that_is_gone_is_decided_by_its_wizard(root: Path, decision: str) -> None:
    _baseline(root, **{"stream.old_site.rows": 40})
    gate = ("--acceptance-report", str(root / paths.ACCEPTANCE_DATA))
    assert "1 drift warning" in engine(root, "audit-full", *gate).stdout
    assert cause(root, ID) == ("new_source_data", "likely")
    repaired(root, ID, "--offer", decision, *WHY)
    assert verdict(root, ID) == "clear"
    again = engine(root, "audit-full", *gate)
    assert "drift warning" not in again.stdout
    assert "the baseline follows this audit" in again.stderr


def _detection(*phases: str) -> Detection:
    facts: dict[str, JsonValue] = {"metrics": ["evidence_rows"], "phases": [*phases], "baseline_at": None}
    return Detection(
        symptom_id=ID, verdict=Verdict.DETECTED, observed="it moved", read_at=1.0, as_of=1.0, facts=facts
    )


def _diagnosed(
    *,
    moved: tuple[str, ...] = ("P2",),
    files: tuple[str, ...] = (),
    shown: tuple[str, ...] = (),
    trouble: str = "",
) -> Diagnosis:
    def said(name: str, **data: JsonValue) -> ProbeOutput:
        return ProbeOutput(probe_id=name, title=name, text="it was seen", data=data)

    others = said(OTHERS, shown=[*shown])
    outputs = [
        said(FIREWALL, verdict="clear"),
        said(FIELDS, lost=[]),
        ProbeOutput(probe_id=OTHERS, title="others", trouble=trouble) if trouble else others,
        said("code", **history(*files).model_dump(mode="json")),
        said("settings", **SettingsHistory(tag="t").model_dump(mode="json")),
    ]
    return SYMPTOM.classify(_detection(*moved), {each.probe_id: each for each in outputs})


def test_a_decision_needs_its_reason(root: Path) -> None:
    assert distill(root, "runbook", "plan", ID, "--offer", "accept").returncode == 2


def test_over_a_forbidden_row_nothing_is_accepted(root: Path) -> None:
    append_rejected(root)
    found = json.loads(distill(root, "runbook", "detect", "--json").stdout)["symptoms"]
    assert {each["id"]: each["beneath"] for each in found if each["verdict"] == "detected"} == {
        "S1.P4.sft-leak": None,
        "S1.P5.summary": "S1.P4.sft-leak",
        ID: "S1.P4.sft-leak",
    }
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["id"] == "leak"
    assert told["diagnosis"]["see"] == "S1.P4.sft-leak"
    assert told["offers"] == []


def test_a_field_that_was_lost_is_told_before_anything_is_accepted(root: Path) -> None:
    source = root / paths.KNOWLEDGE_BASE / "chats.jsonl"
    source.write_bytes(source.read_bytes().replace(b'"reward"', b'"points"'))
    assert engine(root, "run-all", "--allow-shrink").returncode == 0
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["id"] == "field_lost"
    assert told["diagnosis"]["see"] == "S1.P2.materialize"
    assert told["offers"] == []
    said = json.dumps(told["diagnosis"])
    assert "stream chats: no row has reward (20 rows had it) any more" in said


def test_a_warning_that_is_over_does_not_ring_and_one_that_is_new_is_found_by_looking_anew(
    root: Path,
) -> None:
    workspace = Workspace(root)
    journal = root / paths.AUDIT_BASELINES
    row = json.loads(journal.read_bytes().splitlines()[-1])
    row["metrics"]["evidence_rows"] *= 2
    (root / paths.SETTINGS).touch()
    journal.write_text(json.dumps(row) + "\n")
    assert detect(workspace).verdict == "clear"
    row["metrics"]["sft_rows"] /= 2
    journal.write_text(json.dumps(row) + "\n")
    _adopted(root)
    seen = rerun(workspace)
    assert (seen.verdict, seen.source) == ("detected", "live")
    assert "sft_rows" in seen.observed


def test_without_an_audit_it_is_not_known(tmp_path: Path) -> None:
    assert verdict(filled(tmp_path / "w").root, ID) == "unknown"
