"""The runbook's command lines: ``runbook``, ``quarantine``, ``restore``, ``undo``, ``incident``, ``drill``.

``table`` declares them as data; each module has ``run(arguments, voice) -> exit code``.
"""
