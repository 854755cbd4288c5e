"""Adopt, consent, apply: the short way for tests of plans."""

from __future__ import annotations

from runbook.change.applied import Applied
from runbook.change.apply import apply_plan
from runbook.change.plan import Draft, Plan
from runbook.wizard.session import WizardSession


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
