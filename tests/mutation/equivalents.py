"""Changes that behave as what stands there: no test can notice them, and why that is so."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from tests.mutation.changes import Change

LIST = Path(__file__).with_name("equivalents.toml")
Key = tuple[str, str, str, str]


@cache
def equivalents() -> dict[Key, str]:
    """Why, by module, kind, and the texts before and after on one line each."""
    found = tomllib.loads(LIST.read_text("utf-8"))["change"]
    return {(each["module"], each["kind"], each["before"], each["after"]): each["why"] for each in found}


def key_of(module: Path, change: Change) -> Key:
    return str(module), change.kind, one_line(change.before), one_line(change.after)


def one_line(text: str) -> str:
    return " ".join(text.split())
