"""Building the demo workspace: what `distill demo` opens the console on.

``package_data`` knows where fixtures and engine source lie. ``sources`` chooses the files and the
stream settings that read them, ``generated_log`` makes more lines up. ``settings_text`` writes
``distill.toml``, ``repository`` runs git, ``history`` says which phase brings which files, and
``build`` puts it together.
"""
