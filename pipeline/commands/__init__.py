"""One file an engine command: its arguments, and the call that carries it out."""
