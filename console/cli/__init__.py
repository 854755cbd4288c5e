"""The command line: the global flags, the command tree, completion."""
