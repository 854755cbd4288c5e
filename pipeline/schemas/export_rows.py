"""The rows of the three exports across versions: which version a row is of, and the step from 1 to 2.

Version 1 had nulls, lists that could be empty, and two shapes in one file; loaders that fix their
types by the first rows could not read it. A row of version 1 says less than one of version 2:
what it does not say becomes the value that stands for *not known* (an empty text, 0 attempts).
"""

from __future__ import annotations

from typing import Any

from pipeline.stages.export_messages import exported_messages, flat_messages, joined_tags

Row = dict[str, Any]

_NOT_COUNTED = {"attempts": 0, "passed": 0}

EXPORTS = ("rag", "sft", "preference")


def version_of(export: str, row: Row) -> int:
    """A playbook of version 1 has a list of tags; a row of SFT and preference has a shape since 2."""
    if export == "rag":
        return 1 if isinstance(row.get("tags"), list) else 2
    return 2 if "shape" in row else 1


def rag_to_version_2(row: Row) -> Row:
    return {**row, "tags": joined_tags(row["tags"]), "model_name": row["model_name"] or ""}


def sft_to_version_2(row: Row) -> Row:
    is_flat = row["messages"] is None
    context = row["context"] or ""
    texts = row["instruction"], context, row["response"]
    return _with_places(
        row,
        {
            "context": context,
            "messages": flat_messages(*texts) if is_flat else exported_messages(row["messages"]),
            "model_name": row["model_name"] or "",
        },
        {
            "id": {"shape": "flat" if is_flat else "conversation"},
            "messages": {"tools": ""},
            "estimated_tokens": {"flags": ""},
            "provenance": _NOT_COUNTED,
        },
    )


def preference_to_version_2(row: Row) -> Row:
    is_flat = isinstance(row["prompt"], str)
    if is_flat:
        # Context and instruction cannot be told apart any more.
        sides = {
            "prompt": flat_messages(row["prompt"], "", "")[:1],
            **{side: flat_messages("", "", row[side])[1:] for side in ("chosen", "rejected")},
        }
    else:
        sides = {side: exported_messages(row[side]) for side in ("prompt", "chosen", "rejected")}
    return _with_places(
        row,
        {**sides, **{name: row[name] or "" for name in ("chosen_model_name", "rejected_model_name")}},
        {
            "id": {"shape": "flat" if is_flat else "conversation"},
            "rejected": {"tools": ""},
            "rejected_score": _NOT_COUNTED,
        },
    )


def _with_places(row: Row, changed: Row, behind: dict[str, Row]) -> Row:
    """The row with some values changed, and new members each behind the one that is named."""
    made: Row = {}
    for name, value in row.items():
        made[name] = changed.get(name, value)
        made.update(behind.get(name, {}))
    missing = behind.keys() - row.keys()
    if missing:
        raise KeyError(min(missing))
    return made
