"""The transform language: what an operator declares, and the one mapper it is compiled to.

Doors into this package, in reading order:

* ``skips``      every permanent reason for which a source line yields nothing
* ``files``      which files belong to a stream
* ``paths``      dotted and indexed paths, compiled; JMESPath for the rest
* ``rules``      one field rule to one function
* ``conditions`` ``when`` and ``where`` to one function
* ``coerce``     any value to the type of its evidence field, or a skip that names the field
* ``messages``   a conversation of any common shape to the shape of evidence
* ``times``      timestamps and durations
* ``presets``    shipped rules for common log shapes
* ``lookup``     a stream that others look into by id
* ``compiled``   all of the above: one source line to its evidence rows
* ``survey``     what ``distill streams check`` reports

The language's syntax is ``pipeline.settings.rules``; ``docs/streams.md`` teaches it.
"""
