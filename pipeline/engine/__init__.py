"""The engine's body: how the pure stages become a run that survives anything.

* ``chunks``        where a source is cut; the unit of work
* ``chunk_work``    one chunk through the stages, in a worker
* ``record_plan``, ``record_work``   the same for groups of lines and items of a JSON value
* ``chunk_index``   what a chunk says about its rows, without their texts
* ``chunk_cache``   an unchanged chunk is not processed again
* ``executors``     inline, processes, Dask
* ``reduce``        what needs all rows in order: duplicates, conflicts, pairs
* ``emit``, ``emit_export``, ``emit_preference``   decisions and parts to staged output files
* ``commit``        staged files appear all or nothing; settles a crash
* ``run_state``, ``receipts``, ``run_hash``, ``clock``, ``event_writer``
* ``run_session``   the frame around a run: lock, events, signals, how it ended
* ``run_all``, ``score_stage``, ``export_stage``   the commands, joined from the above
"""
