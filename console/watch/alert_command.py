"""Call ``[alert] command``: an argument list, the alert as JSON on its standard input, no shell.

The command is taken from the workspace's settings, so that it runs only when that file belongs to
the current user or to root and nobody else may write it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.toml_document import parsed
from pipeline.contracts.untrusted import visible
from pipeline.platform.async_process import run_async
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.engine_choice import stakes_of, trust_needed
from pipeline.platform.lenient_json import bytes_or_empty, object_of

TIMEOUT_SECONDS = 30.0
_WORDS_KEPT = 300


def alert_command(root: Path) -> tuple[str, ...]:
    """The argument list; empty when nobody is to be told. Raises SettingsError, StorageError, and
    TrustNeededError: a watch that may call nobody does not pretend to watch.
    """
    path = root / paths.SETTINGS
    try:
        value = object_of(parsed(bytes_or_empty(path)), "alert").get("command", [])
    except OSError as error:
        raise storage_fault(error, path, "Nothing was run.", doing="read") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"cannot be read: {error}", what=str(path)) from error
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(word, str) and "\0" not in word for word in value):
        raise _unusable(path, "has an [alert] command that is no list of texts")
    if value and (why := _not_trusted(path)):
        raise _unusable(path, f"names an [alert] command, but {why}")
    if value and not stakes_of(root).programs_are_trusted:
        raise trust_needed(root, "its [alert] command is a program that is not trusted")
    return tuple(value)


def _not_trusted(path: Path) -> str:
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0):
        return "belongs to another user"
    return "anyone can write to it" if found.st_mode & stat.S_IWOTH else ""


def _unusable(path: Path, why: str, what: str = "[alert] in distill.toml") -> SettingsError:
    return SettingsError.of(
        "alert_command_refused",
        f"{path} {why}.",
        "Nothing was run.",
        f"Correct {what}, then: distill config show",
        file=str(path),
    )


async def call_alert_command(
    argv: Sequence[str], alert: dict[str, Any], cwd: Path, timeout_seconds: float = TIMEOUT_SECONDS
) -> str | None:
    """Hand one alert over. None when it was taken, else why it was not; never raises for that."""
    ended = await run_async(
        argv, limit_seconds=timeout_seconds, cwd=cwd, stdin=json.dumps(alert).encode() + b"\n"
    )
    name = visible(argv[0], 200)
    if ended.timed_out:
        return f"{name} took longer than {timeout_seconds:g} s and was ended"
    if ended.exit_code is None:
        return ended.why
    if ended.exit_code == 0:
        return None
    words = visible(ended.narration.strip(), _WORDS_KEPT)
    return f"{name} ended with {ended.exit_code}" + (f": {words}" if words else "")
