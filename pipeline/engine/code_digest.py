"""One digest of the engine's own source files, so that an edited engine is never hidden."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pipeline

ENGINE_VERSION = "0.1.0"


@cache
def engine_digest() -> str:
    """Hex sha256 over every ``.py`` of the running ``pipeline`` package that can touch a row.

    The firewall and the contracts are left out: they shape no row.
    """
    root = Path(str(pipeline.__file__)).parent
    hasher = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda found: found.relative_to(root).as_posix()):
        relative = path.relative_to(root).as_posix()
        if relative.split("/", 1)[0] in ("firewall", "contracts", "commands"):
            continue
        hasher.update(relative.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
