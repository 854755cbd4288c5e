"""The exports that are trained on: the demo's, and beside them those of a stream of runs with tools."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# Of which each is trained on or rendered.
FORMATS = ("trl-conversational", "trl-prompt-completion", "trl-preference", "trl-unpaired")

STREAM = """
[[stream]]
name = "weather"
path = "data/_kb/weather.jsonl"
[stream.fields]
task_id = "task"
messages = "turns"
verdict = "ok"
tools = "tools"
"""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "day": {"type": ["string", "null"]}},
                "required": ["city"],
            },
        },
    }
]
CITIES = ("Oslo", "Bonn", "Lima", "Cairo", "Tokyo", "Quito")


def _lines() -> list[dict[str, Any]]:
    """A good and a bad run a city; some of the good ones call twice, or say what is not to be learnt."""
    lines = []
    for number, city in enumerate(CITIES):
        asked = {"role": "user", "content": f"Rain in {city} today? Ask number {number}."}
        calls = [_call(0, city)] + ([_call(1, CITIES[0])] if number % 3 == 2 else [])
        turns: list[dict[str, Any]] = [asked]
        if number % 3 == 1:
            turns += [
                {"role": "assistant", "content": f"I guess no {city} rain.", "weight": 0},
                {"role": "user", "content": "Do not guess, look."},
            ]
        turns.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": calls,
                "reasoning_content": f"Look up {city}.",
            }
        )
        turns += [
            {"role": "tool", "tool_call_id": call["id"], "name": "weather", "content": f"dry {city}"}
            for call in calls
        ]
        turns.append({"role": "assistant", "content": f"It stays dry in {city}."})
        lines.append({"task": city, "ok": True, "tools": TOOLS, "turns": turns})
        bad = [asked, {"role": "assistant", "content": f"Nobody knows about {city}."}]
        lines.append({"task": city, "ok": False, "tools": TOOLS, "turns": bad})
    return lines


def _call(number: int, city: str) -> dict[str, Any]:
    arguments = json.dumps({"city": city, "day": None})
    return {"id": f"c{number}", "type": "function", "function": {"name": "weather", "arguments": arguments}}


def make_exports(distill: Path, folder: Path) -> Path:
    """Build the demo as a user would, and write the formats. Returns ``exports/formatted``."""
    _run(distill, "demo", "--batch", "--dir", folder)
    (folder / "data/_kb/weather.jsonl").write_text("".join(json.dumps(line) + "\n" for line in _lines()))
    settings = folder / "distill.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + STREAM, encoding="utf-8")
    _run(distill, "-C", folder, "run-all")
    for name in FORMATS:
        _run(distill, "-C", folder, "export", "--format", name)
    return folder / "exports/formatted"


def _run(*command: object) -> None:
    finished = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {finished.returncode}\n{finished.stdout}{finished.stderr}")
