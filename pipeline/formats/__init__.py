"""Exports as trainers load them: derived files, each with a receipt that accounts for it.

* ``rows``      pure: one canonical row to the rows of a format
* ``messages``  the shape that chat templates expect of a conversation
* ``write``     one format of one workspace: read, convert, write, receipt
* ``command``   ``distill export --format``
"""
