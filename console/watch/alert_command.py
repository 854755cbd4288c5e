"""Call ``[alert] command``: an argument list, the alert as JSON on its standard input, no shell.

The command is taken from the workspace's settings, so that it runs only when that file belongs to
the current user or to root and nobody else may write it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, SettingsError
from pipeline.contracts.toml_document import parsed
from pipeline.contracts.untrusted import visible
from pipeline.reading.report_files import object_of, read_bytes

TIMEOUT_SECONDS = 30.0
_WORDS_KEPT = 300


def alert_command(root: Path) -> tuple[str, ...]:
    """The argument list; empty when nobody is to be told. Raises SettingsError."""
    path = root / paths.SETTINGS
    try:
        data = read_bytes(path)
        value = object_of(parsed(data or b""), "alert").get("command", [])
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(word, str) and "\0" not in word for word in value):
        raise _unusable(path, "has an [alert] command that is no list of texts")
    if value and (why := _not_trusted(path)):
        raise _unusable(path, f"names an [alert] command, but {why}")
    return tuple(value)


def _not_trusted(path: Path) -> str:
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0):
        return "belongs to another user"
    return "anybody may write it" if found.st_mode & stat.S_IWOTH else ""


def _unusable(path: Path, why: str) -> SettingsError:
    return SettingsError(
        Fault(
            "alert_command_refused",
            f"{path} {why}.",
            "Nothing was run.",
            "Mend [alert] in distill.toml, then look: distill config show",
            file=str(path),
        )
    )


async def call_alert_command(
    argv: Sequence[str], alert: dict[str, Any], cwd: Path, timeout_seconds: float = TIMEOUT_SECONDS
) -> str | None:
    """Hand one alert over. None when it was taken, else why it was not; never raises for that."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return f"{visible(argv[0], 200)} could not be started: {error.strerror}"
    try:
        said = await asyncio.wait_for(_talk(process, json.dumps(alert).encode() + b"\n"), timeout_seconds)
    except TimeoutError:
        await _end(process)
        return f"{visible(argv[0], 200)} took longer than {timeout_seconds:g} s and was ended"
    except asyncio.CancelledError:
        await _end(process)
        raise
    if process.returncode == 0:
        return None
    words = f": {said}" if said else ""
    return f"{visible(argv[0], 200)} ended with {process.returncode}{words}"


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and whatever it has started. One that ended well may leave others working."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _talk(process: asyncio.subprocess.Process, data: bytes) -> str:
    """Write the alert, keep the first words of what it complains of."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stderr is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read what it is told
        process.stdin.write(data)
        await process.stdin.drain()
        process.stdin.close()
    first = await process.stderr.read(_WORDS_KEPT)
    while await process.stderr.read(1 << 16):
        pass
    await process.wait()
    return visible(first.decode(errors="replace").strip(), _WORDS_KEPT)
