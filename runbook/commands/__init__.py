"""The runbook's command lines: ``distill runbook``, ``quarantine``, ``restore``, ``undo``, ``incident``.

Each module has ``add_arguments(parser)`` and ``run(arguments, root, voice) -> exit code``; the
console wires them to the one table of commands.
"""
