"""The console: a viewer of a workspace, and a remote control for the engine.

Doors into this package, in reading order:

* ``cli``, ``commands``   the ``distill`` command: its tree, completion, one file a command
* ``terminal``            what this terminal is and how to draw on it; ``doctor``
* ``reading``             facts from disk, all of them in ``reading/workspace_reader``
* ``live``                facts from runs: events followed, the firewall and the runbook watched
* ``state``               PURE: all that is known, as one value; ``state/derive`` makes the status
* ``presentation``        PURE: the status to lines of text
* ``control``             the only way from a key to a change: arming, the lease, jobs
* ``tui``, ``plain``      the screens (``keymap`` has the keys), and the same by numbered prompts
* ``batch``, ``watch``    without a person: for CI, cron and collectors
* ``demo``                a workspace to try it on

Types, lenient readers and the machine come from ``pipeline.contracts``, ``pipeline.reading`` and
``pipeline.platform``; the engine's behaviour only as a subprocess. So this package starts while every
module of the engine is broken (``tests/architecture``).
"""
