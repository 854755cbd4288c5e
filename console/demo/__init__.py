"""Building the demo workspace: what `distill demo` opens the console on.

``sources`` knows where fixtures and engine source lie, and chooses the files and the stream settings that
read them; ``generated_log`` makes more lines up. ``history`` writes ``distill.toml`` and runs git, phase by
phase, and ``build`` puts it together.
"""
