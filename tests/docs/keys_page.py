"""``docs/keys.md``, from the table of keys."""

from __future__ import annotations

from console import keymap


def page() -> str:
    lines = [
        "# Keys",
        "",
        "Made from `console/keymap.py` by `make pages`. The same key means the same thing on every",
        "screen. Keys that terminals and multiplexers keep for themselves (`ctrl+s`, `ctrl+q`, `ctrl+j`,",
        "`ctrl+b`, Alt) are never the only way. Other keys are given in `distill.toml`, by an action's name:",
        "",
        "```toml",
        "[console]",
        'keys = { "run.start" = ["ctrl+r"], "quit" = ["Q", "f10"] }',
        "```",
        "",
        "A mistake there (an unknown action, one key for two actions) is told at the start, and all keys",
        "stay as they are below.",
    ]
    for group, title in keymap.GROUPS.items():
        lines += ["", f"## {title}", "", "| key | action | does | where |", "| --- | --- | --- | --- |"]
        for action in keymap.ACTIONS:
            if action.group == group:
                keys = " ".join(f"`{keymap.shown(key)}`" for key in action.keys)
                places = ", ".join(sorted(place for place in action.where if action in keymap.at(place)))
                lines.append(f"| {keys} | `{action.id}` | {action.help} | {places} |")
    return "\n".join(lines) + "\n"
