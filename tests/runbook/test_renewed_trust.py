"""A consented plan renews trust for what it writes, and for nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from pipeline.platform.engine_choice import Stakes, stakes_of, trust_what_we_made
from pipeline.platform.trust_book import forget, remember
from runbook.actions.restore import plan_restore
from runbook.change import apply, engine_trust
from runbook.change.applied import States, StepAtWork, read_applied
from runbook.change.apply import apply_plan
from runbook.change.engine_trust import renew_trust
from runbook.change.file_step import change_file
from runbook.change.plan import FileStep, Plan
from runbook.wizard.session import WizardSession
from tests.runbook.workspaces import direct, make_workspace

SCHEMA = "pipeline/schemas/sft.py"
MANY = ["pipeline/__init__.py", "pipeline/__main__.py", SCHEMA]


def restored(root: Path) -> tuple[WizardSession, Plan]:
    """The schema was loosened and the main module changed, by somebody; a plan restores the schema alone."""
    workspace = make_workspace(root)
    (root / "pipeline/__main__.py").write_text(f"# of {root}\n")
    (root / SCHEMA).write_text(f"ALLOWED = () # {root}\n")
    session = direct(workspace)
    return session, session.adopt(plan_restore(session.planning(), [SCHEMA]))


def carried_out(session: WizardSession, plan: Plan) -> None:
    with session.lease():
        session.consent(plan.code, "mira", "because")
        apply_plan(session.workspace, session.incident, plan)


def test_what_was_trusted_before_it_is_trusted_after_it(tmp_path: Path) -> None:
    session, plan = restored(tmp_path / "w")
    trust_what_we_made(tmp_path / "w")
    carried_out(session, plan)
    assert stakes_of(tmp_path / "w").engine_is_trusted


def many_restored(root: Path) -> tuple[WizardSession, Plan]:
    """Each file of a trusted engine is somebody's; a plan restores all of them."""
    workspace = make_workspace(root)
    for path in MANY:
        (root / path).write_text(f"# of {root}\n")
    session = direct(workspace)
    plan = session.adopt(plan_restore(session.planning(), MANY))
    trust_what_we_made(root)
    return session, plan


def test_the_engine_is_read_a_few_times_whatever_the_number_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, asked = tmp_path / "w", []
    session, plan = many_restored(root)
    assert len(plan.steps) >= len(MANY)

    def counted(of: Path) -> Stakes:
        asked.append(of)
        return stakes_of(of)

    monkeypatch.setattr(engine_trust, "stakes_of", counted)
    carried_out(session, plan)
    assert len(asked) <= 2
    assert stakes_of(root).engine_is_trusted


def test_a_step_that_fails_leaves_trusted_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "w"
    session, plan = many_restored(root)

    def third_fails(work: StepAtWork, step: FileStep, expected: States) -> None:
        if work.index == 2:
            raise StorageError.of("disk", "no space", "-", "-")
        change_file(work, step, expected)

    monkeypatch.setattr(apply, "change_file", third_fails)
    with pytest.raises(StorageError):
        carried_out(session, plan)
    assert (root / MANY[-1]).read_text() == f"# of {root}\n"
    assert stakes_of(root).engine_is_trusted


def test_a_plan_trusts_nothing_that_nobody_had_trusted(tmp_path: Path) -> None:
    session, plan = restored(tmp_path / "w")
    assert not stakes_of(tmp_path / "w").engine_is_trusted
    carried_out(session, plan)
    assert not stakes_of(tmp_path / "w").engine_is_trusted


def test_what_somebody_wrote_there_later_is_not_of_the_plan(tmp_path: Path) -> None:
    root = tmp_path / "w"
    session, plan = restored(root)
    trust_what_we_made(root)
    carried_out(session, plan)
    for other in (SCHEMA, "pipeline/__main__.py"):
        was = (root / other).read_bytes()
        (root / other).write_text(f"print('not of {root}')\n")
        renew_trust(root, session.incident, read_applied(session.incident.journal.entries(), plan.hash))
        assert not stakes_of(root).engine_is_trusted
        (root / other).write_bytes(was)


def test_a_killed_one_is_made_up_for(tmp_path: Path) -> None:
    """Killed after its last step: before it was trusted, and the book does not know what stands now."""
    root = tmp_path / "w"
    session, plan = restored(root)
    before = stakes_of(root).files
    assert before is not None
    trust_what_we_made(root)
    carried_out(session, plan)
    forget(root)
    remember(root, engine=before.digest)
    assert not stakes_of(root).engine_is_trusted
    renew_trust(root, session.incident, read_applied(session.incident.journal.entries(), plan.hash))
    assert stakes_of(root).engine_is_trusted
