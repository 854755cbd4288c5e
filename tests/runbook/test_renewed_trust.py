"""A consented plan renews trust for what it writes, and for nothing else."""

from __future__ import annotations

from pathlib import Path

from pipeline.platform.engine_choice import stakes_of, trust_what_we_made
from pipeline.platform.trust_book import forget, remember
from runbook.actions.restore import plan_restore
from runbook.change.applied import read_applied
from runbook.change.apply import apply_plan
from runbook.change.engine_trust import renew_trust
from runbook.change.plan import Plan
from runbook.wizard.session import WizardSession
from tests.runbook.workspaces import direct, make_workspace

SCHEMA = "pipeline/schemas/sft.py"


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
