"""P6, acceptance: 22 invariants, each checked on real runs of the engine that is in use.

* ``gate``          runs the checks, writes the report; ``distill acceptance`` and audits call it
* ``fixture``       the sources and what must come of them, pinned by digest
* ``temp_root``     the private place that all runs work in, kept when something failed
* ``engine_runs``   starts the engine, as a new interpreter or by fork, and watches what it writes
* ``jobs``          runs that invariants share, two at a time
* ``scene``         which runs there are; ``written`` reads what they left, trusting none of it
* ``input``, ``scoring``, ``exports``, ``receipts``, ``crash``, ``replay``   the invariants

Nothing here is imported by the engine, and no engine code runs in this process: a broken engine
breaks its own process, and the invariant that sees it says so.
"""
