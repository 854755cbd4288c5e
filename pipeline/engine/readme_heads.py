"""The YAML at the head of READMEs in ``exports/``: written for each export, and judged in a trainer's copy.

``load_dataset("exports/sft")`` reads whatever lies in the folder, quarantined files as well, unless the
head of a README there names the files. So a run that writes an export puts one beside it, where none
stands. A README may also name files from anywhere: ``verify-export`` takes only heads that are spelt as
the engine, formats and card spell them, and that name what is accounted for. The firewall reads
them by its own code.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.platform import disk

README = "README.md"
# ``datasets`` lets it overrule the README. Nobody writes one.
_LOADERS_YAML = ".huggingface.yaml"
READ_BY_LOADERS = frozenset((README.lower(), _LOADERS_YAML))
_MAX_BYTES = 1024 * 1024
_CONFIG = re.compile(r"- config_name: (\S+)")
_FILE = re.compile(r"  data_files: (\S+)|    path: (\S+)")
# What else the heads of our own READMEs hold. A line of another form is not understood.
_OTHER_LINES = re.compile(
    r"|configs:|  data_files:|  - split: \w+"
    r"|dataset_info:|  features:| +(- name|dtype|struct|list):( \w+)?"
    r"|(?!configs\b|dataset_info\b)\w+:( .+)?|- (?!\w+:( |$)).+"
)
_NOT_AS_WRITTEN = "its head is not as distill writes it: what a loader would read by it is not known"


def missing_readmes(workspace: Path, exports: Iterable[str]) -> dict[str, bytes]:
    """The README of each of ``exports`` in whose folder none stands, by its path. A person's own stays."""
    return {
        str(place): _readme(export)
        for export in sorted(set(exports) & paths.EXPORT_FILES.keys())
        if not os.path.lexists(workspace / (place := paths.EXPORT_FILES[export].parent / README))
    }


def problem_of(folder: Path, place: PurePosixPath, listed: Collection[str]) -> str | None:
    """Why the README at ``place`` may not stand there; ``listed`` are the files that the manifest names."""
    try:
        with disk.open_to_read(folder / place) as file:
            text = file.read(_MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        return getattr(error, "strerror", None) or "not UTF-8"
    if len(text) > _MAX_BYTES:
        return "over 1 MiB"
    if place.name.lower() == _LOADERS_YAML:
        return "a loader would read by it which files to read" if text.strip() else None
    config = ""
    for line in _head(text):
        if named := _CONFIG.fullmatch(line):
            config = named[1]
        elif named := _FILE.fullmatch(line):
            named_file = (named[1] or named[2]).strip("'\"")
            target = posixpath.normpath(posixpath.join(place.parent, named_file))
            if not _may_be_named(target, listed, place, config):
                return f"it tells a loader to read {named_file}: no file of these exports by that name"
        elif _OTHER_LINES.fullmatch(line) is None:
            return _NOT_AS_WRITTEN
    return None


def _may_be_named(target: str, listed: Collection[str], place: PurePosixPath, config: str) -> bool:
    """Formatted files are held against their receipts wherever they lie; those for KTO tell what they are."""
    if target in listed:
        return True
    parts = PurePosixPath(target).parts
    if len(parts) < 2 or parts[0] != paths.FORMATTED.name or paths.QUARANTINE_MARK in target:
        return False
    if any(part.startswith(".") for part in parts):
        return False
    is_labelled = "unpaired" in parts[1] or "kto" in parts[1]
    return not is_labelled or place.parent.name == parts[1] or parts[1] in config


def _head(text: str) -> list[str]:
    lines = text.lstrip().splitlines()
    if not lines or lines[0].rstrip() != "---":
        return []
    return lines[1 : next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 1)]


def _readme(export: str) -> bytes:
    file = paths.EXPORT_FILES[export]
    folder = file.parent
    return f"""---
configs:
- config_name: default
  data_files: {file.name}
---

# {export}

`load_dataset("{folder}")` reads `{file.name}` and nothing else that lies here: the head of this page
names it. A file that was quarantined (`{file.name}{paths.QUARANTINE_MARK}…`) is not read.

Loaders that are given the folder in another way do not read this page, and read quarantined files as well:
`load_dataset("json", data_dir="{folder}")`, `load_dataset("{paths.EXPORTS}", data_dir="{folder.name}")`, a
pattern such as `{folder}/*`. Name the file there.

All rows are in one file, which loaders call `train`. The member `split` of each says whether it is for
`train` or `validation`: select by it before you train.

This page says nothing of one run. `distill run-all` writes it where there is none, and leaves yours alone.
""".encode()
