"""What a value on the command line may be: names in the workspace, ids of the runbook and of checks.

It is asked at every press of TAB: files are listed or read a little, nothing is started, and
whatever cannot be read offers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from console.cli.commands import PARTS
from pipeline.contracts import check_index, paths
from pipeline.contracts.command import Kind
from pipeline.contracts.commands import FORMAT_NAMES
from pipeline.contracts.discovery import find_workspace
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.toml_document import parsed
from pipeline.platform import disk
from pipeline.platform.lenient_json import bytes_or_empty

MOST_VALUES = 200
# Run ids are looked for in the first lines of each file of evidence.
READ_BYTES_A_FILE = 1 << 20
_RUN_ID = re.compile(rb'"run_id": ?"([^"\\]{1,200})"')


def values_of(kind: Kind, directory: str | None, typed: str) -> list[str]:
    """At most ``MOST_VALUES`` that begin with ``typed``, in the order in which a person reads them."""
    with suppress(OSError, ValueError, OperatorError):
        found = (each for each in _all(kind, directory) if each.startswith(typed))
        return [each for each, _ in zip(found, range(MOST_VALUES), strict=False)]
    return []


def _all(kind: Kind, directory: str | None) -> Iterable[str]:
    match kind:
        case "symptom" | "drill":
            from runbook.symptoms import definitions

            return [each.id for each in definitions()]
        case "check":
            return check_index.REQUIRED_CHECKS
        case "invariant":
            return check_index.INVARIANTS
        case "format":
            return FORMAT_NAMES
        case "part":
            return PARTS
        case "stream":
            return _streams(find_workspace(directory))
        case "incident":
            folder = find_workspace(directory) / paths.INCIDENTS
            return sorted((each.name for each in folder.iterdir() if each.is_dir()), reverse=True)
        case "run":
            return _run_ids(find_workspace(directory))
        case _:
            return []


def _streams(root: Path) -> list[str]:
    settings = parsed(bytes_or_empty(root / paths.SETTINGS))
    streams = settings.get("stream", [])
    names = (
        [each.get("name") for each in streams if isinstance(each, dict)] if isinstance(streams, list) else []
    )
    return [name for name in names if isinstance(name, str)]


def _run_ids(root: Path) -> Iterator[str]:
    """Ids of evidence rows, each once."""
    seen: set[bytes] = set()
    for path in sorted((root / paths.EVIDENCE).glob("*.jsonl")):
        if not path.is_file():
            continue
        with disk.open_to_read(path) as file:
            for found in _RUN_ID.findall(file.read(READ_BYTES_A_FILE)):
                if found not in seen:
                    seen.add(found)
                    yield found.decode("utf-8", "replace")
