"""Steps from an older version of a persisted row to the next, one small function each.

``STEPS`` maps (schema, version) to the function that lifts a row from that version to the next.
Steps are plain functions from dict to dict, because the model of an older version no longer exists.

The rows of the three exports carry no ``schema_version``, since trainers' loaders would read it
as a feature. ``exports/manifest.json`` names the version of each file, and a row tells its own by
its shape (``export_rows``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.contracts.faults import IntegrityError
from pipeline.schemas import export_rows
from pipeline.schemas.registry import BY_NAME

Row = dict[str, Any]
Step = Callable[[Row], Row]
Steps = Mapping[tuple[str, int], Step]


def _evidence_of_version_1(row: Row) -> Row:
    """What version 1 did not record stays unknown: no flag is made up for it."""
    if row["messages"] is not None:
        row["messages"] = [{**turn, "reasoning": None, "weight": None} for turn in row["messages"]]
    lifted: Row = {}
    for name, value in row.items():
        lifted[name] = value
        if name == "tools":
            lifted["finish_reason"] = None
        elif name == "tags":
            lifted["flags"] = []
    return lifted


STEPS: Steps = {
    ("evidence", 1): _evidence_of_version_1,
    ("rag", 1): export_rows.rag_to_version_2,
    ("sft", 1): export_rows.sft_to_version_2,
    ("preference", 1): export_rows.preference_to_version_2,
}


def version_of(schema: str, row: Row) -> Any:
    """The version that a row is of. It may be none: whatever stands in ``schema_version`` is given."""
    if schema in export_rows.EXPORTS:
        return export_rows.version_of(schema, row)
    return row.get("schema_version", 1)


def upgrade(schema: str, row: Row, *, target: int | None = None, steps: Steps = STEPS) -> Row:
    """``row`` at version ``target``, by default the one that is written now.

    The row itself is not changed. Raises IntegrityError for a row from a newer version, for one
    that no chain of steps leads up from, and for one that is not what its version says.
    """
    wanted = BY_NAME[schema].version if target is None else target
    version = version_of(schema, row)
    if type(version) is not int or version < 1:
        raise _cannot(schema, "its schema_version is not a version number")
    if version > wanted:
        raise _cannot(schema, f"it has version {version}, and this engine knows {wanted}")
    while version < wanted:
        step = steps.get((schema, version))
        if step is None:
            raise _cannot(schema, f"no step leads on from version {version}")
        try:
            row = step(dict(row))
        except (KeyError, TypeError, AttributeError) as error:
            raise _cannot(schema, f"it is no row of version {version} ({type(error).__name__})") from error
        version += 1
        if "schema_version" in row:
            row["schema_version"] = version
    return row


def _cannot(schema: str, why: str) -> IntegrityError:
    return IntegrityError.of(
        code="schema_version_unknown",
        what_happened=f"A row of {schema} cannot be read: {why}.",
        kept_safe="The row was not changed.",
        do_next="Read it with the engine that wrote it, or update: pipx upgrade distill-console",
    )
