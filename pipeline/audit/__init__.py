"""P8: recompute from the files alone what the pipeline claims about a workspace.

One file a phase holds its checks; they share what is read once: ``scan.py`` (the sources),
``workspace_view.py`` (evidence, verdicts, exports) and ``claims.py`` (the last run's receipts, which are
compared and never believed). ``full.py`` puts them in order.
"""
