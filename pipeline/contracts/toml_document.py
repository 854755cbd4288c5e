"""TOML text to a document, parsed once: whoever watches a workspace asks for the same settings again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=8)
def parsed(data: bytes) -> Mapping[str, object]:
    """The document, which all callers share and none changes. Raises ValueError and RecursionError."""
    return tomllib.loads(data.decode())
