"""The recovery runbook that acts: symptoms, wizards, undo, drills.

Read in this order: ``symptom.py`` (what a symptom is made of), ``probes/evidence.py`` and
``change/plan.py`` (what diagnosis and planning return), ``wizard/dialogue.py`` (PURE: the dialogue, folded
from the journal), ``wizard/session.py`` (the same with hands: probes, plans, applies, verifies),
``change/apply.py`` (the only hand that moves a file), ``change/journal.py`` and ``change/incident.py``
(what remains), ``tell/`` (how it is told). The symptoms themselves are in ``symptoms/``, worst first;
``drills/`` plants each of them for real.

No screen in here, and of the engine its types and shared readers alone: what it *does* is asked of a
subprocess, because the engine is what an operator is called to repair.
"""
