"""``docs/presets/``: a page a preset, from what its module says and from its golden log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pipeline.settings.presets import PRESETS, preset
from tests.pipeline.streams.golden import FOLDER

PLACE = Path("docs/presets")


def pages() -> dict[Path, str]:
    return {PLACE / "README.md": _index(), **{PLACE / f"{name}.md": _page(name) for name in PRESETS}}


def _index() -> str:
    rows = "\n".join(f"| [`{name}`]({name}.md) | {preset(name).title} |" for name in PRESETS)
    return (
        "# Presets\n\nMade from `pipeline/settings/presets/` by `make pages`. A preset is a set of rules for "
        "a log that many tools write; the stream's own `fields`, `parts` and the like replace those of the "
        "same name, and its `where` is asked, too. The language is that of [streams](../streams.md).\n\n"
        f"| preset | the log |\n|---|---|\n{rows}\n\n"
        "Each is tried by a test with a small log of its kind, which was written for this project by the "
        "public description of the format: `fixtures/presets/`.\n"
    )


def _page(name: str) -> str:
    found, folder = preset(name), FOLDER / name
    stream = (folder / "stream.toml").read_text(encoding="utf-8").strip()
    log = next(path for path in sorted(folder.iterdir()) if path.name.startswith("log"))
    first = json.loads((folder / "evidence.jsonl").read_text(encoding="utf-8").splitlines()[0])
    pieces = [
        f"# `{name}`: {found.title}",
        f"Made from `pipeline/settings/presets/{name}.py` and `fixtures/presets/{name}/` by `make pages`; "
        "do not edit by hand.",
        found.reads,
        f"```toml\n{stream}\n```",
        f"Then `distill streams check --stream {_name_in(stream)}` says what it makes of your log, and which "
        "members no rule reads.",
        f"## What tells a task\n\n{found.task}",
        f"## How a run ended\n\n{found.outcome}",
        "## What such a log cannot say\n\n" + "\n".join(f"- {sentence}" for sentence in found.not_said),
        f"## An example\n\n{_example(name, log)}",
        f"gives, beside its ids and provenance:\n\n{_shown(first)}",
        f"## Its rules\n\n```toml\n{_rules(found.rules)}\n```",
    ]
    if found.documented:
        pieces.append(f"The format itself is described at {found.documented}.")
    return "\n\n".join(pieces) + "\n"


def _name_in(stream: str) -> str:
    return stream.split('name = "', 1)[1].split('"', 1)[0]


def _example(name: str, log: Path) -> str:
    if log.is_dir():
        log = next(path for path in sorted(log.rglob("*")) if path.is_file())
    text = log.read_text(encoding="utf-8")
    if log.suffix in (".json", ".traj"):
        return _shown(json.loads(text))
    rules = preset(name).rules
    if "group" in rules or rules.get("unit") == "file":
        return f"```json\n{text.strip()}\n```"
    return _shown(json.loads(text.splitlines()[0]))


def _shown(value: Any) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```"


def _rules(rules: dict[str, Any]) -> str:
    """As they would stand in a stream's section."""
    out = [f"{name} = {_inline(value)}" for name, value in rules.items() if name not in ("fields", "parts")]
    parts = rules.get("parts")
    if isinstance(parts, dict):
        out.append(f"parts = {_inline(parts)}")
    out += ["", "[stream.fields]"]
    out += [f"{_key(name)} = {_inline(value)}" for name, value in rules.get("fields", {}).items()]
    for part in parts if isinstance(parts, list) else ():
        out += ["", "[[stream.parts]]"]
        out += [f"{name} = {_inline(value)}" for name, value in part.items() if name != "fields"]
        out += [f"fields.{_key(name)} = {_inline(value)}" for name, value in part["fields"].items()]
    return "\n".join(out).strip()


def _inline(value: Any) -> str:
    match value:
        case str() if ("\\" in value or '"' in value) and "'" not in value:
            return f"'{value}'"
        case dict():
            return (
                "{ " + ", ".join(f"{_key(name)} = {_inline(inner)}" for name, inner in value.items()) + " }"
            )
        case list() | tuple():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
