"""``distill.toml``: what an operator may set, checked before anything is read or written.

* ``model``      the sections, their defaults and limits
* ``values``     the kinds of value they are made of: sizes, names, argument lists, rule trees
* ``load``       the file to a ``Settings``, or a ``SettingsError`` with file, line and nearest key
* ``locate``     on which line of the file each key stands
* ``mistakes``   a validation error in an operator's words
* ``rules``      the syntax of the transform language
* ``stream_checks``  a stream's rules, preset, look-ups and paths, checked before any source is read
* ``confine``    which paths a stream may read
* ``origin``     who set each value: the default, or a line of the file
* ``digest``     one digest of the settings that touch rows
* ``reference``  ``docs/settings.md``, written from the model
"""
