"""The distillation engine: from agents' run logs to training data.

Doors into this package, in reading order:

* ``contracts``   the stable types that console and runbook share with the engine
* ``platform``    the machine: disk, locks, git, processes
* ``reading``     reports read leniently, for console and runbook
* ``schemas``     one persisted row a file, with its version
* ``settings``    ``distill.toml``: model, loader, origin of each value
* ``streams``     the transform language: one source line to evidence fields
* ``stages``      pure functions: materialise, score, export
* ``storage``     bytes of sources: archives and hostile lines in
* ``engine``      chunks, executors, staging, lock, receipts, ``run-all``
* ``firewall``    the scan that trusts none of schemas, stages and engine
* ``audit``, ``acceptance``   checks of a workspace, and of the engine on a fixture

This file imports nothing, so that the contracts load when everything else is broken.
"""
