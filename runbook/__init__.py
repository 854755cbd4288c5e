"""The recovery runbook that acts: symptoms, wizards, undo, drills.

Read in this order: ``symptom.py`` (what a symptom is made of), ``evidence.py`` and ``plan.py``
(what diagnosis and planning return), ``wizard.py`` (PURE: the dialogue, folded from the
journal), ``session.py`` (the same with hands: probes, plans, applies, verifies), ``apply.py``
(the only hand that moves a file), ``journal.py`` and ``incident.py`` (what remains). The symptoms
themselves are in ``symptoms/``, worst first; ``drills/`` plants each of them for real.

No screen in here, and of the engine its types alone: what it *does* is asked of a subprocess,
because the engine is what an operator is called to repair.
"""
