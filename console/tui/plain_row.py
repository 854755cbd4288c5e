"""A row that a link or a skip points at, where it lies in a plain file of this workspace."""

from __future__ import annotations

from pathlib import Path

from console.reading.row_file import RowFile
from pipeline.platform.lenient_json import inside

_COMPRESSED = (".gz", ".zst")


def plain_row(root: Path, file_name: str, offset: int | None) -> tuple[str, int, bytes] | None:
    """The file, offset and bytes of a row that begins there, in a plain file of this workspace."""
    relative = inside(file_name)
    if relative is None or offset is None or relative.suffix in _COMPRESSED:
        return None
    try:
        file = RowFile(root / relative)
    except (OSError, ValueError):
        return None
    try:
        row = file.row_at(offset)
        if row is None or row.offset != offset:
            return None
        return str(relative), offset, file.whole(row)
    finally:
        file.close()
