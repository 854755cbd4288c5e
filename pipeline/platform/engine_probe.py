"""Imports every module of the engine that runs in a workspace, and names the first that fails.

Run as a *file* in a process of its own, with the engine's environment, because what it imports may be
broken in any way: ``python -P engine_probe.py`` prints one JSON object on standard output.
"""

from __future__ import annotations

import gc
import importlib
import json
import pkgutil
import sys
import traceback


def probe() -> dict[str, object]:
    """Where the engine lies, how many modules load, and what is wrong with those that do not."""
    report: dict[str, object] = {"place": "", "modules": 0, "failures": []}
    failures: list[dict[str, object]] = []
    try:
        package = importlib.import_module("pipeline")
    except BaseException as error:  # noqa: BLE001 - a module may end in any way, SystemExit included
        return {**report, "failures": [_failure("pipeline", error, "")]}
    place = next(iter(package.__path__), "")
    names = [
        found.name for found in pkgutil.walk_packages(package.__path__, "pipeline.", onerror=lambda _: None)
    ]
    for name in names:
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - as above
            failures.append(_failure(name, error, place))
    return {"place": place, "modules": len(names), "failures": failures}


def _failure(module: str, error: BaseException, place: str) -> dict[str, object]:
    """The innermost line of the engine's own that was being executed, and the error in one line.

    ``named`` is the file that an ImportError speaks of: what is imported may be broken, not who imports.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if place and frame.filename.startswith(place)] or [
        frame
        for frame in frames
        if "engine_probe" not in frame.filename and "importlib" not in frame.filename
    ]
    file, line = (own[-1].filename, own[-1].lineno) if own else ("", 0)
    told, named = str(error), ""
    if isinstance(error, SyntaxError):
        file, line, told = error.filename or file, error.lineno or line, error.msg
    elif isinstance(error, ImportError):
        named = error.path or _file_of(error.name, place)
    return {
        "module": module,
        "file": file,
        "line": line,
        "named": named,
        "error": f"{type(error).__name__}: {told}"[:500],
    }


def _file_of(module: str | None, place: str) -> str:
    """Where a module of the engine that cannot be found would lie; empty for anything else."""
    top, _, rest = (module or "").partition(".")
    return f"{place}/{rest.replace('.', '/')}.py" if top == "pipeline" and rest and place else ""


if __name__ == "__main__":
    gc.disable()  # it is over in a moment, and what is imported stays to the end
    real_stdout, sys.stdout = sys.stdout, sys.stderr  # a module that prints must not spoil the report
    real_stdout.write(json.dumps(probe()) + "\n")
