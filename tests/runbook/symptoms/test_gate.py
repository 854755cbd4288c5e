"""A red gate is one of two symptoms, never both; and whom each of them suspects."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.reading.check_report import Check, checks_of
from pipeline.reading.facts import read_facts
from pipeline.reading.symptom_answers import TOUCHED
from runbook.probes import check_reports
from runbook.probes.code_history import ChangedFile, CodeHistory, phase_of
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.workspace import Workspace
from runbook.symptoms import gate_state
from runbook.symptoms.offers import to_restore
from runbook.symptoms.s1_p6_acceptance import GATE_EDITED, PHASE_CHANGED, SHARED_CHANGED, UNKNOWN
from runbook.symptoms.s1_p6_acceptance import diagnose as s1_p6_acceptance
from runbook.symptoms.s3_divergence import diagnose as s3_divergence
from runbook.symptoms.s3_divergence.glance import glance
from tests.mutants.mutant import Mutant
from tests.mutants.mutants import MUTANTS

LATER = 3600.0  # no report is older than what it judged
AUDITED = ("P3.coverage", "P4.exports-valid")


def check(name: str, status: str, detail: str = "", examples: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "id": name,
        "phase": "P6" if name.startswith("A") else name.split(".")[0],
        "required": True,
        "status": status,
        "detail": detail,
        "examples": [{"text": each} for each in examples],
    }


def report(
    root: Path, place: object, checks: list[dict[str, Any]], *, at: float = LATER, **more: Any
) -> None:
    path = (root / str(place)).with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    finished = datetime.fromtimestamp(time.time() + at, UTC).isoformat().replace("+00:00", "Z")
    path.write_text(json.dumps({"checks": checks, "finished_at": finished, **more}))


def gate(root: Path, *red: str, at: float = LATER, **more: Any) -> None:
    checks = [check(f"A{n:02}", "fail" if f"A{n:02}" in red else "pass", "it broke") for n in range(1, 23)]
    report(root, paths.ACCEPTANCE_REPORT, checks, at=at, **more)


def audit(root: Path, p6: str, *others: str, at: float = LATER + 1, named: Sequence[str] = ()) -> None:
    """``others`` are the statuses of two checks of the data."""
    checks = [check(name, status) for name, status in zip(AUDITED, others, strict=True)]
    examples = [f"{each}: it broke" for each in named]
    report(root, paths.AUDIT_REPORT, [*checks, check("P6.acceptance", p6, "21 of 22", examples)], at=at)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "distill.toml").write_text("")
    return tmp_path


def verdicts(root: Path) -> tuple[Verdict, Verdict]:
    """Of S1.P6.acceptance and of S3.divergence."""
    workspace = Workspace(root)
    return s1_p6_acceptance.detect(workspace).verdict, s3_divergence.detect(workspace).verdict


@pytest.mark.parametrize("other", ["fail", "error", "not_evaluated"])
def test_with_another_check_that_is_not_green_it_is_no_divergence(root: Path, other: str) -> None:
    gate(root, "A09")
    audit(root, "fail", "pass", other)
    assert verdicts(root) == (Verdict.DETECTED, Verdict.CLEAR)


def test_with_every_other_check_green_it_is_a_divergence_and_nothing_else(root: Path) -> None:
    gate(root, "A09", "A10")
    audit(root, "fail", "pass", "pass")
    assert verdicts(root) == (Verdict.CLEAR, Verdict.DETECTED)
    seen = s3_divergence.detect(Workspace(root))
    assert seen.facts["checks"] == ["A09", "A10"]
    assert seen.reproduce == "distill acceptance --check A09 --check A10"


def test_an_acceptance_that_ran_after_a_green_audit_counts(root: Path) -> None:
    audit(root, "pass", "pass", "pass")
    gate(root, "A13", at=LATER + 2)
    assert verdicts(root) == (Verdict.CLEAR, Verdict.DETECTED)
    gate(root, at=LATER + 3)
    assert verdicts(root) == (Verdict.CLEAR, Verdict.CLEAR)


def test_an_audit_that_was_handed_another_report_is_believed(root: Path) -> None:
    gate(root, temp_root=str(root / "of-another-run"))
    audit(root, "fail", "pass", "pass", named=["A17"])
    seen = s3_divergence.detect(Workspace(root))
    assert (seen.verdict, seen.facts["checks"], seen.facts["root"]) == (Verdict.DETECTED, ["A17"], None)


def test_a_red_acceptance_without_any_audit_still_rings(root: Path) -> None:
    gate(root, "A02")
    assert verdicts(root) == (Verdict.CLEAR, Verdict.DETECTED)
    says = [each.says for each in s3_divergence.detect(Workspace(root)).evidence]
    assert "No audit of the real data has run." in says


def test_without_a_report_nobody_knows(root: Path) -> None:
    assert verdicts(root) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is asked again; every answer is a pass, but for A10."""
    calls: list[tuple[str, ...]] = []

    def look(_workspace: Workspace, ids: Sequence[str]) -> dict[str, Check]:
        calls.append(tuple(ids))
        rows = [check(each, "fail" if each == "A10" else "pass") for each in ids]
        return checks_of({"checks": rows}, time.time(), "distill acceptance")

    monkeypatch.setattr(gate_state, "look_again", look)
    monkeypatch.setattr(check_reports, "look_again", look)
    return calls


def test_what_is_older_than_the_data_is_answer_cache_once_for_both(
    root: Path, asked: list[tuple[str, ...]]
) -> None:
    gate(root, "A09", "A10", at=-60)
    audit(root, "fail", "pass", "fail", at=-60)
    assert verdicts(root) == (Verdict.CLEAR, Verdict.DETECTED)  # the data are green by now
    assert verdicts(root) == (Verdict.CLEAR, Verdict.DETECTED)
    assert asked == [("P4.exports-valid",), ("A09", "A10", "P3.coverage")]
    (root / "distill.toml").write_text("# touched\n")
    verdicts(root)
    assert len(asked) == 4


def test_the_green_of_an_audit_from_before_a_change_of_the_code_makes_no_divergence(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate ran since; the audit of this engine ends in an error, of which no report tells."""
    audit(root, "pass", "pass", "pass", at=-60)
    gate(root, "A01", "A09", at=LATER)
    told = glance(read_facts(root, time.time()))
    assert (told.verdict, told.stale) == (Verdict.DETECTED, TOUCHED)

    def look(_workspace: Workspace, ids: Sequence[str]) -> dict[str, Check]:
        assert not [each for each in ids if each.startswith("A")]  # the gate's report is of now
        return checks_of(
            {"checks": [check(each, "error", "no engine") for each in ids]}, time.time(), "audit"
        )

    monkeypatch.setattr(gate_state, "look_again", look)
    assert verdicts(root) == (Verdict.DETECTED, Verdict.CLEAR)
    seen = s1_p6_acceptance.detect(Workspace(root))
    assert seen.facts["checks"] == ["A01", "A09"]
    assert any("no engine" in each.says for each in seen.evidence)


def test_verification_asks_what_failed_and_the_whole_gate_where_nothing_did(
    root: Path, asked: list[tuple[str, ...]]
) -> None:
    gate(root, "A10")
    audit(root, "fail", "pass", "fail")
    assert s1_p6_acceptance.rerun(Workspace(root)).verdict is Verdict.DETECTED
    gate(root)
    audit(root, "pass", "pass", "pass")
    assert s3_divergence.rerun(Workspace(root)).verdict is Verdict.CLEAR
    assert asked == [("A10",), ("P6.acceptance",)]


def red(*ids: str) -> Detection:
    return Detection(
        symptom_id="S3.divergence",
        verdict=Verdict.DETECTED,
        observed="red",
        read_at=1.0,
        as_of=1.0,
        facts={"checks": [*ids]},
    )


def history(*names: str) -> CodeHistory:
    files = tuple(
        ChangedFile(path=f"pipeline/{name}", kind="changed", phase=phase_of(f"pipeline/{name}"))
        for name in sorted(names)
    )
    return CodeHistory(source="workspace", tag="t", commit="c", files=files)


def suspected(seen: Detection, code: CodeHistory) -> Diagnosis:
    output = ProbeOutput(probe_id="code", title="code", data=code.model_dump(mode="json"))
    return s1_p6_acceptance.SYMPTOM.classify(seen, {"code": output})


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if not each.installed], ids=lambda each: each.id)
def test_the_file_of_every_mutant_is_suspected(mutant: Mutant) -> None:
    found = suspected(red(*mutant.red), history(mutant.file))
    assert [each.path for each in to_restore(found)] == [f"pipeline/{mutant.file}"]
    assert found.cause.id in (PHASE_CHANGED, SHARED_CHANGED)


def test_code_of_another_phase_is_left_alone_and_named_as_open() -> None:
    found = suspected(red("A10"), history("stages/score.py", "replay/validate.py"))
    assert [each.path for each in to_restore(found)] == ["pipeline/stages/score.py"]
    assert (found.cause.id, found.cause.confidence) == (PHASE_CHANGED, "likely")
    assert any("replay/validate.py" in each.says for cause in found.considered for each in cause.evidence)


def test_two_phases_under_one_suspicion_are_only_likely() -> None:
    found = suspected(red("A19"), history("stages/score.py", "stages/sample.py"))
    assert (len(to_restore(found)), found.cause.confidence) == (2, "likely")
    assert suspected(red("A19"), history("stages/score.py")).cause.confidence == "certain"


def test_an_edited_fixture_goes_back_alone_or_with_the_code_it_was_edited_for() -> None:
    edited = "acceptance/fixture/expected.json"
    alone = suspected(red("A09"), history(edited))
    assert alone.cause.id == GATE_EDITED
    assert [each.path for each in to_restore(alone)] == [f"pipeline/{edited}"]
    both = suspected(red("A09"), history(edited, "stages/scoring_rules.py"))
    assert both.cause.id == PHASE_CHANGED
    assert len(to_restore(both)) == 2


def test_without_a_change_nobody_is_suspected() -> None:
    found = suspected(red("A19"), history())
    assert (found.cause.id, found.cause.confidence, to_restore(found)) == (UNKNOWN, "unknown", ())
