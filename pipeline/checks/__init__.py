"""Checks: how they are run and timed, the verdict, and the report on paper.

What a check looks at is not here: ``pipeline/audit`` examines a workspace, ``pipeline/acceptance``
a run of the engine on the fixture. ``pipeline/contracts/check_index.py`` is the
index of both lists.
"""
