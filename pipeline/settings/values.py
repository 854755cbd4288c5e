"""The kinds of value that settings are made of, each checked where it enters.

A value that gets past these types needs no second look: a size is bytes, a name is safe as
part of a file name, a revision cannot be read by git as an option, a rule tree is plain JSON.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.contracts.lint import REFUSABLE

ExportName = Literal["rag", "sft", "preference"]
if TYPE_CHECKING:
    Refusable = str
else:
    Refusable = Literal[tuple(code.value for code in REFUSABLE)]
EXPORT_NAMES: tuple[ExportName, ...] = ("rag", "sft", "preference")

# A rule tree deeper than this is a slip, and would cost the stack of whoever walks it.
MAX_RULE_DEPTH = 32
_INT64 = range(-(2**63), 2**63)

_SIZE = re.compile(r"([0-9]{1,12})\s*(B|KiB|MiB|GiB|kB|KB|MB|GB)?\Z")
_UNIT_BYTES = {
    None: 1,
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
# What git's check-ref-format forbids in a name, white space and controls included.
_NOT_IN_A_REVISION = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def size_in_bytes(text: str) -> int:
    """Bytes of ``"2097152"``, ``"64KiB"`` or ``"2MiB"``. Raises ValueError."""
    match = _SIZE.match(text.strip())
    if match is None:
        raise ValueError('a size is a number of bytes, or a text like "512KiB" or "2MiB"')
    return int(match[1]) * _UNIT_BYTES[match[2]]


def _size(value: object) -> object:
    return size_in_bytes(value) if isinstance(value, str) else value


def _list_or_single(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _revision(value: str) -> str:
    if not value or value.startswith(("-", "/", ".")) or value.endswith(("/", ".", ".lock")):
        raise ValueError("this cannot be the name of a tag or commit in git")
    if _NOT_IN_A_REVISION.search(value):
        raise ValueError("this cannot be the name of a tag or commit in git")
    return value


def _without_controls(value: str) -> str:
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
        raise ValueError("control characters are not allowed here")
    return value


def _argument(value: str) -> str:
    if "\0" in value:
        raise ValueError("an argument cannot hold a NUL character")
    return value


def _exports(value: tuple[ExportName, ...]) -> tuple[ExportName, ...]:
    if len(set(value)) != len(value):
        raise ValueError("an export is named twice")
    return tuple(name for name in EXPORT_NAMES if name in value)


def plain_tree(value: Any, depth: int = 0) -> Any:
    """``value`` if it is JSON all the way down: no dates, NaN, infinities, integers past 64 bits.

    Raises ValueError with the reason.
    """
    if depth > MAX_RULE_DEPTH:
        raise ValueError(f"nested deeper than {MAX_RULE_DEPTH} levels")
    match value:
        case str() | bool() | None:
            pass
        case int():
            if value not in _INT64:
                raise ValueError("an integer past 64 bits")
        case float():
            if not math.isfinite(value):
                raise ValueError("not a finite number")
        case list() | tuple():
            for item in value:
                plain_tree(item, depth + 1)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise ValueError("a key that is not text")
                plain_tree(item, depth + 1)
        case _:
            raise ValueError(f"a {type(value).__name__} cannot stand in a rule; write it as text")
    return value


# Models are strict, and TOML knows lists only: a list is what a tuple is written as.
Texts = Annotated[tuple[Annotated[str, AfterValidator(_argument)], ...], Field(strict=False)]
Paths = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_argument)], ...],
    Field(strict=False),
    BeforeValidator(_list_or_single),
]
Exports = Annotated[tuple[ExportName, ...], Field(strict=False), AfterValidator(_exports)]
Refusals = Annotated[tuple[Refusable, ...], Field(strict=False), BeforeValidator(_list_or_single)]
Sides = Annotated[tuple[Literal["prompt", "answer"], ...], Field(strict=False)]
AllowedCategories = Annotated[
    tuple[Literal["accepted", "partially_accepted"], ...], Field(strict=False, min_length=1)
]
Cap = Annotated[int, Field(ge=1)]
SizeBytes = Annotated[int, BeforeValidator(_size)]
Share = Annotated[float, Field(ge=0, lt=1)]
Score = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_without_controls)]
Revision = Annotated[str, Field(max_length=200), AfterValidator(_revision)]
RuleTree = Annotated[Any, AfterValidator(plain_tree)]
StreamName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9_.-]*\z")]
PhaseName = Annotated[str, Field(pattern=r"^P(0|[1-9][0-9]{0,2})\z")]
