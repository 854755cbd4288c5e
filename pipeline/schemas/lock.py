"""The lock file: for each schema its version, its fingerprint, and every field's description.

A schema may change only together with its version. The lock keeps the descriptions
themselves and not only a hash of them, so that a difference names the field and a review
reads what changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts.discovery import shown_place
from pipeline.contracts.faults import IntegrityError
from pipeline.platform import disk
from pipeline.schemas.fingerprint import describe, fingerprint
from pipeline.schemas.registry import SCHEMAS, Schema

LOCK_FILE = Path(__file__).with_name("schemas.lock.json")


@dataclass(frozen=True)
class LockDifference:
    """One field whose description is not the locked one. ``None``: there is no such field."""

    schema: str
    field: str
    locked: str | None
    now: str | None
    version_raised: bool

    def sentence(self) -> str:
        if self.locked is None:
            change = f"is new: {self.now}"
        elif self.now is None:
            change = f"is gone, was: {self.locked}"
        else:
            change = f"was: {self.locked}; is: {self.now}"
        if self.field == "(schema)":
            return f"{self.schema}.{self.field} {change}"
        advice = "the lock still holds the version before" if self.version_raised else "same version"
        return f"{self.schema}.{self.field} {change} ({advice})"


def lock_entry(schema: Schema) -> dict[str, Any]:
    fields = describe(schema.model)
    return {"version": schema.version, "fingerprint": fingerprint(fields), "fields": fields}


def read_lock(path: Path = LOCK_FILE) -> dict[str, dict[str, Any]]:
    """The locked entries by schema. Raises IntegrityError when the file is missing or damaged."""
    try:
        entries = orjson.loads(disk.read_plain(path))["schemas"]
        for name, entry in entries.items():
            if fingerprint(entry["fields"]) != entry["fingerprint"]:
                raise _damaged(path, f"the fingerprint of {name} is not that of its fields")
            if type(entry["version"]) is not int:
                raise _damaged(path, f"the version of {name} is not a number")
    except FileNotFoundError:
        raise _damaged(path, "it is missing") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"it cannot be read ({type(error).__name__})") from None
    return dict(entries)


def differences(
    locked: dict[str, dict[str, Any]], schemas: Iterable[Schema] = SCHEMAS
) -> list[LockDifference]:
    """Every field that is not as locked; empty when schemas, versions and lock agree."""
    found: list[LockDifference] = []
    names = []
    for schema in schemas:
        names.append(schema.name)
        entry = locked.get(schema.name)
        if entry is None:
            found.append(LockDifference(schema.name, "(schema)", None, f"version {schema.version}", False))
            continue
        found.extend(_differences_of(schema, entry))
    found.extend(
        LockDifference(name, "(schema)", f"version {entry['version']}", None, False)
        for name, entry in locked.items()
        if name not in names
    )
    return found


def write_lock(path: Path = LOCK_FILE, schemas: Iterable[Schema] = SCHEMAS) -> list[str]:
    """Lock the schemas as they are, and return the names whose entry changed.

    Raises IntegrityError, and leaves the file alone, when a schema changed under an unchanged
    version or a version went down. A lock that is not there yet is written afresh.
    """
    schemas = tuple(schemas)
    locked = read_lock(path) if path.exists() else {}
    refused = [difference for difference in differences(locked, schemas) if _forbidden(difference)]
    if refused:
        first = refused[0]
        raise IntegrityError.of(
            code="schema_changed_without_version",
            what_happened=f"{first.sentence()}; {len(refused)} such differences in all.",
            kept_safe=f"{path} is as it was.",
            do_next=f"Raise SCHEMA_VERSION of {first.schema} and add its step to migrations.py, "
            "then: distill schema lock",
            file=str(path),
            value=first.field,
        )
    entries = {schema.name: lock_entry(schema) for schema in schemas}
    changed = sorted(name for name in {*entries, *locked} if entries.get(name) != locked.get(name))
    if changed:
        text = orjson.dumps({"schemas": entries}, option=orjson.OPT_INDENT_2) + b"\n"
        disk.write_file(path, text, mode=disk.SHARED_MODE)
    return changed


def _forbidden(difference: LockDifference) -> bool:
    """A schema that is new or was retired needs no version of its own; a changed one does."""
    return not difference.version_raised and difference.field != "(schema)"


def _differences_of(schema: Schema, entry: dict[str, Any]) -> list[LockDifference]:
    now = describe(schema.model)
    locked: dict[str, str] = entry["fields"]
    raised = schema.version > entry["version"]
    fields = [*now, *(field for field in locked if field not in now)]
    found = [
        LockDifference(schema.name, field, locked.get(field), now.get(field), raised)
        for field in fields
        if locked.get(field) != now.get(field)
    ]
    if not found and list(now) != list(locked):
        moved = next(field for field, was in zip(now, locked, strict=True) if field != was)
        place = f"place {list(locked).index(moved)}"
        found.append(LockDifference(schema.name, moved, place, f"place {list(now).index(moved)}", raised))
    if not found and schema.version != entry["version"]:
        found.append(
            LockDifference(schema.name, "(version)", str(entry["version"]), str(schema.version), raised)
        )
    return found


def _damaged(path: Path, why: str) -> IntegrityError:
    return IntegrityError.of(
        code="schema_lock_damaged",
        what_happened=f"The schema lock {shown_place(str(path))} cannot be used: {why}.",
        kept_safe="No schema was changed.",
        do_next="Restore the file from git; `distill schema check` then compares again.",
        file=shown_place(str(path)),
    )
