"""The console: a viewer of a workspace, and a remote control for the engine.

Its rooms, in reading order:

* ``cli``, ``commands``    the ``distill`` command: flags, hand-over, one file a command
* ``terminal``             before a screen: what the terminal is, and how it is drawn on; ``doctor``
* ``reading``              facts from disk
* ``live``                 facts from runs, the firewall's watcher, the detectors, as they come
* ``state``                PURE: facts and events folded into one ``ViewState``
* ``presentation``         PURE: a state as lines of text
* ``tui``, ``keymap``      the screens;  ``plain``  the same as numbered prompts
* ``control``              arming, plans, consent: the only way from a key to a change
* ``batch``, ``watch``     without anybody in front of it;  ``demo``  a workspace to try it on

Types come from ``pipeline.contracts``; the engine's behaviour only as a subprocess. So this
package starts while every module of the engine is broken (``tests/architecture``).
"""
