"""One digest of the engine's own source files, so that an edited engine is never hidden."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pipeline

ENGINE_VERSION = "0.1.0"

# What a worker imports to make a row; tests/pipeline/engine/test_code_digest.py holds it to that.
# Audits, gates, replay and the firewall judge rows and shape none.
ROW_PACKAGES = ("engine", "schemas", "settings", "stages", "storage", "streams")


@cache
def engine_digest() -> str:
    """Hex sha256 over every ``.py`` of the running ``pipeline`` package that can touch a row."""
    root = Path(str(pipeline.__file__)).parent
    hasher = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda found: found.relative_to(root).as_posix()):
        relative = path.relative_to(root).as_posix()
        if relative.split("/", 1)[0] not in ROW_PACKAGES:
            continue
        hasher.update(relative.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
