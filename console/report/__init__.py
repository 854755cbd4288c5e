"""``distill report``: the workspace as text, or as one page for those who have no terminal.

``facts.py`` reads, ``plots.py`` turns values into shapes, ``page.py`` fills ``page.html.j2``. The page is one
file without a script and without an outside address. What is data has been made visible, and the template
engine escapes it.
"""
