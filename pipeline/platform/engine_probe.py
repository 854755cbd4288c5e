"""Imports every module of the engine that runs in a workspace, and names the first that fails.

Run as a *file* in a process of its own, with the engine's environment, because what it imports may be
broken in any way: ``python -P engine_probe.py [COMMANDS]`` prints one JSON object on standard output.

COMMANDS is a JSON list of engine commands, each a list of words. Where all modules load, each is carried
out in a fork, which has nothing left to import, and is told as ``python -m pipeline`` would have ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import sys
import traceback
from typing import NoReturn, TextIO

_READ_BYTES = 1 << 16


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


def _answer(words: list[str], stdout: TextIO) -> dict[str, object]:
    """How the command ended and what it wrote, a character a byte. ``stdout`` is the real one."""
    out, err = os.pipe(), os.pipe()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(words, stdout, out[1], err[1])
    os.close(out[1])
    os.close(err[1])
    said = {out[0]: bytearray(), err[0]: bytearray()}
    with selectors.DefaultSelector() as ready:
        for reading in said:
            ready.register(reading, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                piece = os.read(key.fd, _READ_BYTES)
                said[key.fd] += piece
                if not piece:
                    ready.unregister(key.fd)
                    os.close(key.fd)
    _, status = os.waitpid(pid, 0)
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": said[out[0]].decode("latin-1"),
        "stderr": said[err[0]].decode("latin-1"),
    }


def _become(words: list[str], stdout: TextIO, out: int, err: int) -> NoReturn:
    """The fork's whole life, as that of ``python -m pipeline WORDS``."""
    code: object = 1
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, max(out, err) + 1)
        sys.stdout, sys.argv = stdout, ["pipeline", *words]
        gc.freeze()
        gc.enable()
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if ended.code is None or isinstance(ended.code, int) else 1
        if code != ended.code:
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - the fork must end here, whatever happens
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    gc.disable()  # it is over in a moment, and what is imported stays to the end
    commands = json.loads(sys.argv[1]) if len(sys.argv) > 1 else []
    real_stdout, sys.stdout = sys.stdout, sys.stderr  # a module that prints must not spoil the report
    report = probe()
    report["answers"] = [] if report["failures"] else [_answer(each, real_stdout) for each in commands]
    real_stdout.write(json.dumps(report) + "\n")
