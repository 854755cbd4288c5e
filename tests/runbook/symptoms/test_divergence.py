"""S3.divergence with the real gate: an edited fixture goes back, and the kept root can be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.change.plan import Manual
from runbook.probes.workspace import Workspace
from runbook.symptoms.s3_divergence import EXPECTED, FIXTURE, ID
from runbook.symptoms.s3_divergence.diagnose import SYMPTOM, detect
from tests.runbook.symptoms.own_engine import edit, with_own_engine
from tests.runbook.symptoms.test_gate import audit, gate
from tests.runbook.symptoms.walked import diagnosed, repaired, taken_back
from tests.runbook.workspaces import planning, tree


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fixture was edited to make a test pass, and the reports are of that night."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    root = with_own_engine(tmp_path / "w")
    edit(root, EXPECTED, '"accepted": 9,', '"accepted": 10,')
    gate(root, "A09")
    audit(root, "fail", "pass", "pass", named=["A09"])
    return root


def test_an_edited_fixture_is_the_cause_and_goes_back(root: Path) -> None:
    broken = tree(root)
    found = diagnosed(root, ID)["diagnosis"]
    assert found["cause"]["id"] == "gate_edited"
    assert [each["path"] for each in found["facts"]["restore"]] == [EXPECTED]
    plan = repaired(root, ID)
    taken_back(root, plan, broken)


def test_a_root_that_is_gone_is_made_again_and_may_be_opened_without_a_change(root: Path) -> None:
    workspace = Workspace(root)
    seen = detect(workspace)
    outputs = {probe.id: probe.look(workspace, 120.0) for probe in SYMPTOM.probes(seen)}
    diagnosis = SYMPTOM.classify(seen, outputs)
    kept = Path(str(diagnosis.facts["root"]))
    assert (kept / "data/scored-runs").is_dir()
    # By the contract of the last-good tag nothing differs: it is the working copy that was edited.
    assert "is what the contract of the last-good tag expects" in outputs["kept_root"].text
    offer = next(each for each in SYMPTOM.offers(seen, diagnosis) if each.id == "open-root")
    plan = offer.make(planning(workspace), {}).plan
    assert [type(step) for step in plan.steps] == [Manual]
    assert str(kept) in plan.steps[0].by_hand
    assert not plan.needs_rehearsal


def test_no_offer_ever_writes_the_fixture_but_from_the_tag(root: Path) -> None:
    workspace = Workspace(root)
    seen = detect(workspace)
    diagnosis = SYMPTOM.classify(seen, {"code": SYMPTOM.probes(seen)[0].look(workspace, 60.0)})
    drafts = [each.make(planning(workspace), {}) for each in SYMPTOM.offers(seen, diagnosis)]
    tagged = workspace.git.resolve_tag(workspace.last_good_tag)
    assert [draft.plan.commit for draft in drafts] == [tagged]
    assert all(path.startswith(FIXTURE) for draft in drafts for path in draft.plan.paths)
