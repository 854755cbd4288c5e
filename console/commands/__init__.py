"""The console's own commands, one module each: ``run(arguments, voice) -> exit code``."""
