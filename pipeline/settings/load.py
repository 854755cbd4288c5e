"""Read ``distill.toml``: a ``LoadedSettings``, or a ``SettingsError`` that names the line.

Whatever bytes the file holds, nothing but ``SettingsError`` comes out of here, and nothing is written. A disk
that does not give them is a ``StorageError``: the settings may well be right.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.toml_document import MAX_SETTINGS_BYTES as MAX_SETTINGS_BYTES
from pipeline.platform import disk, disk_faults
from pipeline.settings.locate import KeyPath, locate, nearest_line
from pipeline.settings.mistakes import Mistake, dotted, mistakes
from pipeline.settings.model import Settings, from_document
from pipeline.settings.origin import origins
from pipeline.settings.stream_checks import stream_mistakes

_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)\Z")
_KEPT_SAFE = "Nothing was written."


@dataclass(frozen=True)
class LoadedSettings:
    """Settings, the file they came from, and who set each value (see ``origin``)."""

    settings: Settings
    origins: dict[str, str]
    path: Path


def load_settings(workspace: Path) -> LoadedSettings:
    """The settings of ``workspace``. Raises SettingsError, and StorageError where they cannot be read."""
    path = workspace / paths.SETTINGS
    text = _read(path)
    document = _parse(text, path)
    lines = locate(text)
    past = [
        Mistake(at, nearest_line(lines, at), None, "an integer past 64 bits")
        for at in _past_64_bits(document)
    ]
    if past:
        raise _settings_error(path, past)
    try:
        settings = from_document(document)
    except ValidationError as error:
        raise _settings_error(path, mistakes(error, document, lines)) from None
    wrong = sorted(
        stream_mistakes(workspace, settings, document, lines), key=lambda mistake: mistake.line or 0
    )
    if wrong:
        raise _settings_error(path, wrong)
    return LoadedSettings(settings=settings, origins=origins(settings, lines), path=path)


def _read(path: Path) -> str:
    try:
        with disk.open_to_read(path) as file:
            raw = file.read(MAX_SETTINGS_BYTES + 1)
    except disk_faults.NotPlainError as cause:
        raise _unusable(path, "is not a file", None) from cause
    except FileNotFoundError as cause:
        raise _unusable(path, "is not there any more", None) from cause
    except OSError as cause:
        raise disk_faults.storage_fault(cause, path, _KEPT_SAFE, doing="read") from cause
    if len(raw) > MAX_SETTINGS_BYTES:
        raise _unusable(path, f"is larger than {MAX_SETTINGS_BYTES} bytes", None)
    try:
        # tomllib refuses a byte order mark; editors on other systems write one all the same.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = raw.count(b"\n", 0, cause.start) + 1
        raise _unusable(path, f"is not UTF-8: byte 0x{raw[cause.start]:02x}", line) from cause


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as cause:
        raise _unusable(path, "is nested too deeply", None) from cause
    except ValueError as cause:
        message = str(cause)
        match = _AT_LINE.search(message)
        line = int(match[1]) if match else None
        if message.endswith("(at end of document)"):
            line = text.count("\n") + 1
        reason = message[: match.start()].strip() if match else message
        raise _unusable(path, f"is not valid TOML: {reason}", line) from cause


def _past_64_bits(document: dict[str, Any]) -> Iterator[KeyPath]:
    """Where integers stand that no digest can hold. Not shown: some are too long to be written out."""
    # No recursion: a dotted key nests as deep as it is long.
    waiting: list[tuple[KeyPath, Any]] = [((), document)]
    while waiting:
        at, tree = waiting.pop()
        if isinstance(tree, int):
            if not -(2**63) <= tree < 2**63:
                yield at
        elif isinstance(tree, dict | list):
            inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
            waiting += reversed([((*at, key), value) for key, value in inner])


def _settings_error(path: Path, wrong: list[Mistake]) -> SettingsError:
    first = wrong[0]
    place = str(paths.SETTINGS) if first.line is None else f"{paths.SETTINGS}:{first.line}"
    more = f" ({len(wrong) - 1} more: {_places(wrong[1:])}.)" if len(wrong) > 1 else ""
    return SettingsError.of(
        code="settings_invalid",
        what_happened=f"{place}: {first.sentence()}{more}",
        kept_safe=_KEPT_SAFE,
        do_next=f"Correct {path}, then: distill config show",
        file=str(path),
        line=first.line,
        value=first.value,
    )


def _places(wrong: list[Mistake]) -> str:
    named = [dotted(mistake.path) + (f" line {mistake.line}" if mistake.line else "") for mistake in wrong]
    return ", ".join(named[:5]) + (", …" if len(named) > 5 else "")


def _unusable(path: Path, problem: str, line: int | None) -> SettingsError:
    place = str(path) if line is None else f"{path}:{line}"
    return SettingsError.of(
        code="settings_unusable",
        what_happened=f"{place} {problem}.",
        kept_safe=_KEPT_SAFE,
        do_next=f"Repair {path}, then: distill config show",
        file=str(path),
        line=line,
    )
