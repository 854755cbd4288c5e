"""Every persisted row: one pydantic model a file, each with its ``SCHEMA_VERSION``.

* ``parts``        the shared pieces: identities, digests, times, messages, provenance
* one file a row   evidence, scored_run, rag, sft, preference, quarantined_row, skip_row
* one file a report  receipt, run_summary, baseline, replay_run, release_manifest, incident_entry
* ``registry``     name, model and the file it is written to
* ``validators``   the compiled walls that the exporters call once a row
* ``lock``         fingerprint per version; ``golden`` the rows each model must take and refuse
* ``migrations``   one function a step, from an older version to the next; ``export_rows`` those of exports
* ``export_message``   one turn of an exported conversation; ``export_versions`` which version stands

This file imports nothing: a stage that needs one model does not pay for all of them.
"""
