"""Drills: a fault planted in a throw-away workspace, and what a good wizard makes of it.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does. The drills themselves are in the
symptoms' folders.
"""
