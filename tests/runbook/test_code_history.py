"""What differs in the engine's code, by which hand, and the plan that puts it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.status import Verdict
from runbook.actions.repair_code import plan_code_repair, reinstall_command
from runbook.case import Case
from runbook.change.plan import Manual, RemoveFile, RunCommand, WriteFile
from runbook.probes.code_history import ENGINE, code_history, code_probe, phase_of
from runbook.probes.evidence import Detection
from tests.git_commands import git
from tests.runbook.workspaces import TAG, make_workspace, planning

SCHEMA = "pipeline/schemas/sft.py"


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        ("pipeline/schemas/sft.py", "P1"),
        ("pipeline/stages/scoring_rules.py", "P3"),
        ("pipeline/stages/export_sft.py", "P4"),
        ("pipeline/engine/run_hash.py", "P5"),
        ("pipeline/replay/models.py", "P7"),
        ("pipeline/cli.py", None),
    ],
)
def test_a_file_belongs_to_the_phase_of_the_longest_match(path: str, phase: str | None) -> None:
    assert phase_of(path) == phase


def test_a_loosened_constant_is_named_with_its_line_its_commit_and_both_values(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("# longer\nALLOWED = ('accepted', 'rejected')\n")
    git(workspace.root, "commit", "--quiet", "--all", "-m", "allow more")
    history = code_history(workspace)
    (changed,) = history.files
    (constant,) = changed.constants
    assert (history.source, history.tag, history.trouble) == ("workspace", TAG, "")
    assert (changed.path, changed.kind, changed.phase, changed.uncommitted) == (
        SCHEMA,
        "changed",
        "P1",
        False,
    )
    assert (constant.name, constant.line) == ("ALLOWED", 2)
    assert constant.before == "('accepted', 'partially_accepted')"
    assert constant.after == "('accepted', 'rejected')"
    assert [each.split(" ", 1)[1] for each in changed.commits] == ["mira: allow more"]
    assert "+ALLOWED = ('accepted', 'rejected')" in changed.diff
    assert changed.told.startswith(f"{SCHEMA}:2 ALLOWED (changed, ")


def test_what_no_commit_holds_is_said_to_be_uncommitted(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).unlink()
    (workspace.root / "pipeline/extra.py").write_text("X = 1\n")
    found = {each.path: (each.kind, each.uncommitted, each.commits) for each in code_history(workspace).files}
    assert found == {SCHEMA: ("missing", True, ()), "pipeline/extra.py": ("added", True, ())}


def test_code_that_does_not_parse_still_has_a_diff(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("ALLOWED = (\n")
    (changed,) = code_history(workspace).files
    assert [each.after for each in changed.constants] == ["(not there)"]
    assert "+ALLOWED = (" in changed.diff


def test_the_probe_s_output_reads_back_and_one_that_failed_says_why(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("ALLOWED = ()\n")
    probe = code_probe([ENGINE])
    output = probe.look(workspace, probe.seconds)
    seen = Detection(symptom_id="S", verdict=Verdict.DETECTED, observed="", read_at=1.0, as_of=1.0)
    assert Case((), seen, {"code": output}).code == code_history(workspace)
    assert "ALLOWED: ('accepted', 'partially_accepted') → ()" in output.text
    failed = output.model_copy(update={"data": None, "trouble": "git: gone"})
    blind = Case((), seen, {"code": failed}).code
    assert (blind.files, blind.trouble) == ((), "git: gone")


def test_a_repair_restores_takes_away_and_runs_again(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("ALLOWED = ()\n")
    (workspace.root / "pipeline/extra.py").write_text("X = 1\n")
    plan = plan_code_repair(planning(workspace), code_history(workspace).files, [("export-sft",)]).plan
    kinds = [(type(step), getattr(step, "path", None)) for step in plan.steps]
    assert kinds == [(WriteFile, SCHEMA), (RemoveFile, "pipeline/extra.py"), (RunCommand, None)]
    assert plan.reversible


def test_installed_code_is_repaired_by_a_person_with_the_exact_command(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    settings = workspace.root / "distill.toml"
    settings.write_text(settings.read_text().replace('source = "workspace"', 'source = "installed"'))
    history = code_history(workspace)
    assert history.source == "installed"
    plan = plan_code_repair(planning(workspace), history.files, [("run-all",)]).plan
    assert [type(step) for step in plan.steps] == [Manual, Manual]
    assert [step.by_hand for step in plan.steps] == [reinstall_command(), "distill run-all"]
    assert "--force-reinstall" in reinstall_command()
    assert not plan.reversible
