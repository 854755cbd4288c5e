"""Where each incident's journal ended when the audit looked.

A journal is hash-chained, and whoever can write the workspace can cut its end off and say so in
its ``head.json``. The report is a second place that remembers: ``distill incident verify`` holds
the journal to it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.platform.lenient_json import count_of, object_in, text_of

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
    head = object_in(path, most_bytes=_MOST_BYTES)
    seq, digest = count_of(head, "seq"), text_of(head, "hash")
    if seq is None or digest is None or _SHA256.fullmatch(digest) is None:
        return None
    return {"seq": seq, "hash": digest}
