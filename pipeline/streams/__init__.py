"""The transform language: what an operator declares, and the one mapper it is compiled to.

Doors into this package, in reading order:

* ``misfit``                  how a rule says that a line yields nothing; the reasons are contracts' ``skips``
* ``files``                   which files belong to a stream
* ``paths``                   dotted and indexed paths, compiled; JMESPath for the rest
* ``conditions``              ``when`` and ``where`` to one function
* ``rules``, ``steps``         one field rule to one function; texts with paths in braces
* ``texts``, ``times``         what values are as text, timestamps and durations
* ``turns``, ``messages``      a conversation of any common shape to the shape of evidence
* ``coerce``                  any value to the type of its evidence field, or a skip that names the field
* ``declared``                the shipped rules (settings' ``presets``), and a stream's own laid over them
* ``lookup``                  a stream that others look into by id
* ``compiled``                all of the above: one source line to its evidence rows
* ``grouping``, ``walks``      which lines are one attempt, and the one object that rules see of them
* ``records``                 groups of lines and items of a JSON value, by where they lie
* ``walk``, ``path_tree``      which rules and paths a stream has, and what of a line they read
* ``survey``                  what ``distill streams check`` reports

The language's syntax is ``pipeline.settings.rules``; ``docs/streams.md`` teaches it.
"""
