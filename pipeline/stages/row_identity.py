"""Ids and task keys of exported rows: hashes, so that every machine gives the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

KEY_BYTES = 16


def row_id(prefix: str, *run_ids: str) -> str:
    """The id of the row that ``run_ids`` make, such as ``sft-1f0c…`` (16 hexadecimal digits)."""
    digest = sha256("\0".join(run_ids).encode("utf-8", "surrogatepass"))
    return f"{prefix}-{digest.hexdigest()[:16]}"


def place_of(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance that verdicts and exports repeat: of one shape, whatever evidence stands on.

    The ranges of a group stand in evidence alone: a trainer's loader fails on members that come and go.
    """
    provenance: dict[str, Any] = evidence["provenance"]
    if "ranges" not in provenance:
        return provenance
    return {name: value for name, value in provenance.items() if name not in ("group", "ranges")}


class TaskIdentity(NamedTuple):
    """``key`` is shared by the attempts of one task; ``place`` is where it falls from 0 to 1."""

    key: bytes
    place: float


@lru_cache(maxsize=4096)
def task_identity(stream: str, task_id: str) -> TaskIdentity:
    """Attempts are of one task when stream and task id are equal."""
    name = stream.encode("utf-8", "surrogatepass")
    digest = sha256(
        len(name).to_bytes(8, "little") + name + task_id.encode("utf-8", "surrogatepass")
    ).digest()
    return TaskIdentity(digest[:KEY_BYTES], int.from_bytes(digest[-6:], "big") / 2**48)
