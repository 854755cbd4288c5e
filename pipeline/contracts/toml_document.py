"""TOML text to a document, parsed once: whoever watches a workspace asks for the same settings again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache

# A settings file is written by hand; one of this size is something else, and would be parsed for minutes.
MAX_SETTINGS_BYTES = 2**20


@lru_cache(maxsize=8)
def parsed(data: bytes) -> Mapping[str, object]:
    """The document, which all callers share and none changes. Raises ValueError and RecursionError."""
    if len(data) > MAX_SETTINGS_BYTES:
        raise ValueError(f"it is larger than {MAX_SETTINGS_BYTES} bytes")
    return tomllib.loads(data.decode())
