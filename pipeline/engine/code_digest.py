"""The engine that runs: its version, and the digest of all its code that can touch a row."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pipeline
from pipeline.platform.code_digest import ROW_PACKAGES, code_digest, code_stamps

ENGINE_VERSION = "0.1.0"


@cache
def engine_digest() -> str:
    """Hex sha256 over every ``.py`` of the running ``pipeline`` package that can touch a row."""
    package = Path(str(pipeline.__file__)).parent
    return code_digest(package, code_stamps(package, ROW_PACKAGES))
