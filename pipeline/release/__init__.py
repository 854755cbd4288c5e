"""P9: is the workspace ready to be tagged? Six gates, one manifest; nothing is tagged here.

* ``git_gates``      clean state, phase commits, free tag, and the tree as it was
* ``suite``          the workspace's own tests; a suite that ran nothing has not passed
* ``gates``          the six in order
* ``freeze``         gates, then manifest and statement, voided when the tree moved meanwhile
* ``phases``         which commit stands for which phase, kept in ``distill.toml``
* ``handoff``        the page for whoever arrives cold
"""
