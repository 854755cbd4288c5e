"""Adopt, consent, apply: the short way for tests of plans."""

from __future__ import annotations

from runbook.change.applied import Applied
from runbook.change.apply import apply_plan
from runbook.change.plan import Draft, Plan
from runbook.wizard.dialogue import Move, Work
from runbook.wizard.session import WizardSession


def work_on(session: WizardSession) -> Move:
    """Work until something is asked, or it is over."""
    while isinstance(session.move, Work):
        session.work()
    return session.move


def consented(session: WizardSession, draft: Draft) -> Plan:
    plan = session.adopt(draft)
    session.consent(plan.code, "mira", "a test")
    return plan


def carried_out(session: WizardSession, draft: Draft) -> Applied:
    plan = consented(session, draft)
    return apply_plan(session.workspace, session.incident, plan)


def taken_back(session: WizardSession) -> Plan:
    plan = session.plan_taking_back()
    session.consent(plan.code, "mira", "taken back")
    session.apply()
    session.verify()
    return plan
