"""One file an engine command, ``run(arguments, context)``; ``contracts/commands.py`` says what it takes."""
