"""Whether the same sources give the same rows, however the work is done.

``variants.py`` says under which conditions the pipeline runs, ``copies.py`` makes the throw-away
workspaces, ``trial.py`` runs one of them from scratch, ``difference.py`` finds the first row that
differs, ``compare.py`` joins the four. The workspace itself is only read, but for the report.
"""
