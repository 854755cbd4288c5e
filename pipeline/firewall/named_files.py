"""Which files a README tells loaders to read. A loader that is given a folder believes the YAML at its head.

``load_dataset(folder)`` reads the files that ``configs`` of ``README.md`` names, wherever they lie, and no
others. So a README that names a quarantined file, a file of rejected answers or one from elsewhere is as
bad as that file beside the exports. Only plain YAML is understood: keys without quotes, one value a line.
What is spelt otherwise may say anything to a loader, and is in doubt.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible
from pipeline.firewall.formatted import MAY_HOLD_REJECTED
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular

# ``datasets`` lets it overrule the README. No run writes one.
_SETTINGS_OF_LOADERS = ".huggingface.yaml"
# In small letters, as a disk may know no others.
READ_BY_LOADERS = frozenset(("readme.md", _SETTINGS_OF_LOADERS))
_OTHER_KEYS = frozenset(("config_name", "split", "default", "description"))
_MAX_BYTES = 1024 * 1024
_QUOTED = 60
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_ENDS_OF_YAML = re.compile(r"[\x85\u2028\u2029]")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?:[ ]+(.*))?")
_DASHES = re.compile(r"[ ]*(?:-[ ]+)*")
_PLAIN = re.compile(r"[\w./](?:[^\\\"'#:\x00-\x1f]|:(?! |$))*")
_IN_QUOTES = re.compile(r"\"([^\"\\]*)\"|'([^']*)'")
_PATTERN = re.compile(r"[*?\[\]{}]|::|://")


class UnclearError(Exception):
    """Nobody can tell what a loader would make of it. The text says why."""


class Named(NamedTuple):
    """A file that the configuration ``config`` names, as it stands there."""

    config: str
    file: str


def what_is_wrong(root: Path, place: PurePosixPath) -> Iterator[str]:
    """What is to be said against the README at ``place``. Raises UnclearError."""
    text = _read(root / place)
    if place.name.lower() == _SETTINGS_OF_LOADERS:
        if text.strip():
            yield "no run wrote this file, and it tells a loader which files to read"
        return
    for named in named_in(text):
        if (why := _is_not_of_exports(place.parent, named)) is not None:
            yield f"it tells a loader to read '{visible(named.file, _QUOTED)}', {why}"


def named_in(text: str) -> list[Named]:
    """The files that the head of a README names. Raises UnclearError."""
    named: list[Named] = []
    top = key = config = ""
    for line in _head(text):
        rest = line.strip(" ")
        if not rest or rest.startswith("#"):
            continue
        dashes = _DASHES.match(line)
        opening = dashes[0] if dashes else ""
        rest = line[len(opening) :].rstrip(" ")
        if not opening:
            top, value = _member(rest)
            if top == "configs" and value:
                raise UnclearError(f"configs: {visible(value, _QUOTED)}")
            key = ""
        elif not top:
            raise UnclearError(f"a line under no key: {visible(rest, _QUOTED)}")
        elif top == "configs":
            is_member = _KEY.fullmatch(rest) is not None
            key, value = _member(rest) if is_member else (key, rest)
            if is_member and not value:
                continue
            value = _scalar(value)
            if key == "config_name":
                config = value
            elif key not in _OTHER_KEYS or not is_member:
                named.append(Named(config, value))
    return named


def _head(text: str) -> list[str]:
    """The lines between the first two rules; none where the text does not begin with one, or has but one."""
    lines = _LINE_END.split(text.lstrip().lstrip("\ufeff").lstrip())
    if lines[0].rstrip() != "---":
        return []
    ends = (number for number, line in enumerate(lines) if number and line.rstrip(" \t") == "---")
    end = next(ends, None)
    return [] if end is None else [part for line in lines[1:end] for part in _LINE_ENDS_OF_YAML.split(line)]


def _member(rest: str) -> tuple[str, str]:
    found = _KEY.fullmatch(rest)
    if found is None:
        raise UnclearError(f"not a plain member: {visible(rest, _QUOTED)}")
    return found[1], (found[2] or "").strip(" ")


def _scalar(value: str) -> str:
    value = re.sub(r"[ ]+#.*", "", value)
    if quoted := _IN_QUOTES.fullmatch(value):
        return quoted[1] or quoted[2] or ""
    if _PLAIN.fullmatch(value) is None:
        raise UnclearError(f"not a plain value: {visible(value, _QUOTED)}")
    return value


def _is_not_of_exports(folder: PurePosixPath, named: Named) -> str | None:
    """Why a file that a README in ``folder`` names may not be read by its word."""
    if _PATTERN.search(named.file):
        raise UnclearError(f"it names files by a pattern: {visible(named.file, _QUOTED)}")
    target = PurePosixPath(posixpath.normpath(posixpath.join("/", folder, named.file))).relative_to("/")
    if named.file.startswith(("/", "~")) or paths.EXPORTS not in target.parents:
        return "which is not of the exports"
    if any(paths.QUARANTINE_MARK in part for part in target.parts):
        return "which was quarantined"
    if target in paths.EXPORT_FILES.values():
        return None
    if paths.FORMATTED not in target.parents or any(part.startswith(".") for part in target.parts):
        return "which is no export"
    kind = _holds_rejected(target)
    if kind is not None and folder != paths.FORMATTED / kind and kind not in named.config:
        return "which holds rejected answers, under a name that does not say so"
    return None


def _holds_rejected(target: PurePosixPath) -> str | None:
    """The format of a formatted file, when it holds rejected answers with their label."""
    below = target.relative_to(paths.FORMATTED)
    for name in sorted(MAY_HOLD_REJECTED):
        if below.parts[0] == name or f".{name}." in below.parts[0]:
            return name
    return None


def _read(path: Path) -> str:
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UnclearError("over 1 MiB")
        return data.decode()
    except FileMissingError:
        return ""
    except UnicodeDecodeError:
        raise UnclearError("not UTF-8") from None
    except FileRefusedError as refused:
        raise UnclearError(str(refused)) from None
    except OSError as error:
        raise UnclearError(f"cannot be read: {error.strerror}") from None
