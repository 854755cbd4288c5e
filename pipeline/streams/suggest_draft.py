"""A draft of a ``[[stream]]``, and its text: what is set, and in comments what must be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.streams import suggest_toml as toml


@dataclass
class Draft:
    """``asked`` are lines below the fields, and ``joins`` lines below everything: comments, whole.

    ``about`` is field → what was seen of it, put behind its rule as a comment.
    """

    name: str
    path: str
    preset: str | None = None
    closed: bool = False
    unit: str | None = None
    group: dict[str, Any] | None = None
    where: dict[str, Any] | None = None
    parts: dict[str, Any] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lookups: list[dict[str, str]] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The sections, valid as they stand and with any of the offered lines taken."""
        # Appended to settings, a section stands apart from the one before.
        lines = ["", *(toml.comment(note) for note in self.notes)]
        lines += ["[[stream]]", f"name = {toml.value(self.name)}", f"path = {toml.value(self.path)}"]
        if self.closed:
            lines.append(
                "closed = true" + _behind("the last line has no line end; leave out while it is written to")
            )
        for name in ("preset", "unit", "group", "where", "parts"):
            set_to = getattr(self, name)
            if set_to is not None:
                lines.append(f"{name} = {toml.value(set_to)}{_behind(self.about.get(name))}")
        if self.fields or self.asked:
            lines += ["", "[stream.fields]"]
        for name, rule in self.fields.items():
            lines.append(f"{name} = {toml.value(rule)}{_behind(self.about.get(name))}")
        lines += self.asked
        for lookup in self.lookups:
            lines += ["", "[[stream]]", *(f"{name} = {toml.value(said)}" for name, said in lookup.items())]
        if self.joins:
            lines += ["", *self.joins]
        return "\n".join(lines) + "\n"


def _behind(words: str | None) -> str:
    return f"  {toml.comment(words)}" if words else ""


def offered(name: str, rule: Any, about: str = "") -> str:
    """A line that a person takes by taking its ``#`` away."""
    return f"# {name} = {toml.value(rule)}{_behind(about)}"
