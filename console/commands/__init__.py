"""The console's own commands, one module each: ``add_arguments(parser)`` and ``run(arguments)``."""
