"""``distill --batch``: run and verify everything without a screen, for CI and for cron.

``parts.py`` is the index of what is run; each part is a process of its own. From there it is one
line: ``child.py`` runs a part, ``part_report.py`` makes an outcome of what it said, ``verdict.py``
one exit code and one line of all outcomes, ``causes.py`` the story of what went wrong, ``report.py`` the
report as data. ``junit.py``, ``sarif.py``, ``summary.py``, ``metrics.py`` and ``github.py`` render that
data and nothing else, and ``report_folder.py`` writes them. Neither Textual nor Rich is imported here.
"""
