"""Lenient readers that console and runbook share: what cannot be read is said, and never raises.

* runs       ``past_runs`` (summaries, receipts), ``latest_run`` (and what moved since), ``empty_exports``
* checks     ``check_report``
* incidents  ``incidents`` (all of them), ``incident_journal`` (does a chain hold)
* sources    ``settings_glance``, ``source_files``, ``source_notes``, ``changed_files``, ``touched``
* live       ``lock_facts``, ``firewall_words``
* symptoms   ``facts`` (what a glance looks at), ``symptom_answers``, ``symptom_log``
* words      ``durations``, ``staleness`` (how far a value may be believed), ``reach`` (why not to be read)
"""
