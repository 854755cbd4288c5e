"""Where each incident's journal ended when the audit looked.

A journal is hash-chained, and whoever can write the workspace can cut its end off and say so in
its ``head.json``. The report is a second place that remembers: ``distill incident verify`` holds
the journal to it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pipeline.contracts import paths

HEAD = "head.json"
_MOST_BYTES = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}")


def incident_heads(workspace: Path) -> dict[str, dict[str, Any]]:
    """Incident id to the number and the hash of its last entry. What cannot be read is left out."""
    folder = workspace / paths.INCIDENTS
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    heads = {name: _head(folder / name / HEAD) for name in names}
    return {name: head for name, head in heads.items() if head is not None}


def _head(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    seq, digest = (value.get("seq"), value.get("hash")) if isinstance(value, dict) else (None, None)
    if not isinstance(seq, int) or not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
        return None
    return {"seq": seq, "hash": digest}
