from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.platform.engine_choice import trust_what_we_made
from runbook.actions.rerun_stage import plan_command
from runbook.actions.restore import plan_restore
from runbook.change.apply import StepFailedError, apply_plan
from runbook.change.plan import Draft
from runbook.change.planning import joined
from runbook.change.rehearse import rehearse
from runbook.change.undo import plan_undo
from runbook.change.workspace_copy import FOLDER, workspace_copy
from runbook.probes.workspace import Workspace
from runbook.wizard.session import WizardSession
from tests.runbook.workspaces import SFT, direct, make_workspace, tree

SCHEMA = "pipeline/schemas/sft.py"


def _rehearsed(tmp_path: Path, *words: str) -> tuple[Workspace, WizardSession, Draft]:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = joined(
        "both",
        [
            plan_restore(session.planning(), [SCHEMA]),
            plan_command(session.planning(), ["export-sft", *words], title="export"),
        ],
    )
    return workspace, session, draft


def test_plan_and_undo_are_carried_out_in_a_copy_and_the_workspace_stays_as_it_is(tmp_path: Path) -> None:
    workspace, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")
    before = tree(workspace.root)
    result = rehearse(session.planning(), draft, session.incident)
    assert result.ok, result.detail
    assert "byte-identical" in result.detail
    assert result.changed == (SFT, SCHEMA)
    assert tree(workspace.root) == before
    assert not (workspace.root / FOLDER).exists()


def test_a_command_that_changes_more_than_it_says_is_found_out(tmp_path: Path) -> None:
    _, session, draft = _rehearsed(tmp_path, "write", "docs/unsaid.md", "x")
    result = rehearse(session.planning(), draft, session.incident)
    assert not result.ok
    assert "docs/unsaid.md" in result.detail


def test_a_command_that_fails_is_found_out_before_it_is_offered(tmp_path: Path) -> None:
    _, session, draft = _rehearsed(tmp_path, "fail")
    result = rehearse(session.planning(), draft, session.incident)
    assert not result.ok
    assert "asked to fail" in result.detail


def _own_code(tmp_path: Path) -> tuple[WizardSession, Draft, Path]:
    """A plan that leaves code which nobody has run, and runs it: it would leave the mark."""
    workspace, session, _ = _rehearsed(tmp_path, "fail")
    main, mark = workspace.root / "pipeline/__main__.py", tmp_path / "mark"
    main.write_text(f"{main.read_text()}open({str(mark)!r}, 'a').close()\n")
    command = plan_command(session.planning(), ["export-sft", "write", SFT, "clean"], title="export")
    after = plan_command(session.planning(), ["export-sft", "fail"], title="another")
    return session, joined("all", [plan_restore(session.planning(), [SCHEMA]), command, after]), mark


def test_code_that_nobody_trusts_yet_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    session, draft, mark = _own_code(tmp_path)
    trust_what_we_made(session.workspace.root)
    before = tree(session.workspace.root)
    result = rehearse(session.planning(), draft, session.incident)
    assert result.ok, result.detail
    assert "byte-identical" in result.detail
    assert result.changed == (SCHEMA,)
    assert "distill export-sft write" in result.left_out
    assert "distill export-sft fail" in result.left_out
    assert "your consent trusts it" in result.left_out
    assert not mark.exists(), "run before anybody consented"
    assert tree(session.workspace.root) == before


def test_what_consent_will_not_trust_is_to_be_trusted_first(tmp_path: Path) -> None:
    session, draft, mark = _own_code(tmp_path)
    result = rehearse(session.planning(), draft, session.incident)
    assert result.ok, result.detail
    assert f"distill trust {session.workspace.root}" in result.left_out
    assert not mark.exists()


def test_a_plan_of_which_every_step_is_left_out_has_nothing_to_undo(tmp_path: Path) -> None:
    session, _, mark = _own_code(tmp_path)
    command = plan_command(session.planning(), ["export-sft", "write", SFT, "clean"], title="export")
    result = rehearse(session.planning(), command, session.incident)
    assert result.ok, result.detail
    assert result.left_out
    assert not mark.exists()


def test_consent_then_runs_what_the_rehearsal_left_out(tmp_path: Path) -> None:
    session, draft, mark = _own_code(tmp_path)
    trust_what_we_made(session.workspace.root)
    plan = session.adopt(draft)
    session.rehearse_plan()
    assert not mark.exists()
    with session.lease():
        session.consent(plan.code, "mira", "because")
        with pytest.raises(StepFailedError, match="asked to fail"):
            apply_plan(session.workspace, session.incident, plan)
    assert mark.exists()


def test_what_was_rehearsed_as_a_whole_leaves_nothing_out(tmp_path: Path) -> None:
    _, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")
    assert rehearse(session.planning(), draft, session.incident).left_out == ""


def test_large_files_are_linked_and_journals_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.change.workspace_copy.LINK_FROM_BYTES", 500)
    workspace, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")
    (workspace.root / "data/_kb").mkdir(parents=True)
    (workspace.root / "data/_kb/big.jsonl").write_bytes(b"x" * 1000)
    (workspace.root / "data/_kb/replay_runs.jsonl").write_bytes(b"y" * 1000)
    links: list[str] = []
    real = os.link

    def link(source: Path, target: Path) -> None:
        links.append(source.name)
        real(source, target)

    monkeypatch.setattr("runbook.change.workspace_copy.os.link", link)
    result = rehearse(session.planning(), draft, session.incident)
    assert result.ok, result.detail
    assert "big.jsonl" in links
    assert "replay_runs.jsonl" not in links
    assert result.linked_bytes >= 1000


def test_a_full_disk_while_copying_is_a_result_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runbook.change.workspace_copy.shutil.copy2", full)
    result = rehearse(session.planning(), draft, session.incident)
    assert not result.ok
    assert "No space left" in result.detail
    assert "Errno" not in result.detail
    assert not (workspace.root / FOLDER).exists()


def test_an_undo_that_forgets_a_file_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")

    def forgetful(*arguments: object) -> Draft:
        made = plan_undo(*arguments)  # type: ignore[arg-type]
        return made.model_copy(update={"plan": made.plan.model_copy(update={"steps": made.plan.steps[:1]})})

    monkeypatch.setattr("runbook.change.rehearse.plan_undo", forgetful)
    result = rehearse(session.planning(), draft, session.incident)
    assert not result.ok
    assert result.detail.startswith("1 file differs after undo: ")


def test_the_copy_of_a_killed_rehearsal_is_swept_away_and_that_of_a_live_one_is_not(tmp_path: Path) -> None:
    workspace, session, draft = _rehearsed(tmp_path, "write", SFT, "clean")
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead, alive = (workspace.root / FOLDER / f"{pid}-x" for pid in (child.pid, os.getppid()))
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    assert rehearse(session.planning(), draft, session.incident).ok
    assert not dead.exists()
    assert alive.exists()


def test_a_source_root_outside_is_found_from_a_copy(tmp_path: Path) -> None:
    """``../logs`` of a copy in ``.distill/`` is another place; a rehearsed run would find no lines."""
    workspace = make_workspace(tmp_path / "team" / "w")
    settings = workspace.root / "distill.toml"
    roots = 'source_roots = ["../logs", "../../more/logs", "/nowhere"]\n'
    settings.write_text(settings.read_text().replace("[workspace]\n", f"[workspace]\n{roots}"))
    outside = ("../logs/a.jsonl", "../../more/logs/b.jsonl")
    for name in outside:
        (workspace.root / name).parent.mkdir(parents=True)
        (workspace.root / name).write_text("{}\n")
    around = sorted(tmp_path.rglob("*.jsonl"))
    with workspace_copy(workspace.root) as copy:
        for name in outside:
            assert (copy.root / name).resolve() == (workspace.root / name).resolve()
    assert sorted(tmp_path.rglob("*.jsonl")) == around, "what is outside was only read"
    assert not (workspace.root / FOLDER).exists()
