"""The console: a viewer of a workspace, and a remote control for the engine.

Doors into this package, in reading order:

* the command       ``distill`` (flags, hand-over), ``invocation``, ``commands/`` (one file each)
* before a screen   ``terminal_facts`` and ``link_profile`` (how to draw), ``doctor``
* facts from disk   ``workspace_reader`` (all of it), and what it asks: ``report_files``, ``past_runs``,
                    ``latest_run``, ``changed_files``, ``source_files``, ``lock_facts``, ``git_facts``,
                    ``settings_glance``, ``phase_verdicts``, ``row_counts_report``, ``drift_report``,
                    ``detectors`` (the runbook's light half)
* facts from runs   ``jobs`` (start), ``engine_process`` (follow), ``event_tail``, ``cancel_run``,
                    ``firewall_watch``, ``firewall_scan``
* PURE state        ``view_state`` (types, ``advance``), ``fact_fold``, ``event_fold``, ``live_counts``,
                    ``derive``, ``staleness``, ``plain_status``; ``presentation/`` turns it into lines
* the screen        ``app``, ``screens/``, ``widgets/``, ``keymap``; ``live_feed`` feeds it; ``armed``,
                    ``operations`` and ``feed`` are the only way from a key to a change; ``lifeline``
* the demo          ``demo/``

Types come from ``pipeline.contracts``; the engine's behaviour only as a subprocess. So this
package starts while every module of the engine is broken (``tests/architecture``).
"""
