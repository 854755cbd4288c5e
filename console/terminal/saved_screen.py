"""A screen kept as a file: under ``reports/console``, for its owner's eyes, whole or not at all."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from pipeline.platform import confined

FOLDER = Path("reports/console")
# A terminal that shows the file must not obey it; data was made visible long before.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def save_screen(root: Path, text: str, kind: str, now: float) -> Path:
    """Write ``text`` as ``screen-<time>-<random>.<kind>``; its path in the workspace.

    Raises StorageError. The file is 0600: a screen quotes data.
    """
    name = f"screen-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.{kind}"
    data = _OBEYED.sub("", text).encode("utf-8", "backslashreplace")
    confined.write_file(root, FOLDER / name, data)
    return FOLDER / name
