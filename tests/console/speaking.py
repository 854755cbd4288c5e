"""Run commands in forks of one interpreter, each with the standard streams that a case asks for.

Read by ``test_every_command_speaks.py`` as a program: a list of cases as JSON on standard input, a
list of ``[exit code, standard output, standard error]`` on standard output. What would replace the
process (an engine command) is called in the fork, with streams as a new interpreter makes them.

The gates of a freeze pass at once: they are commands that are asked themselves, and the tests of the
freeze run them. A dashboard waits for the firewall however busy the machine is, so that it says the same
each time.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

import console.cli.distill
import pipeline.cli
import pipeline.firewall.cli
from console.cli.commands import BATCH, COMMANDS
from console.commands import status
from console.reading.firewall_scan import scan_or_known
from pipeline.checks.runner import Outcome
from pipeline.contracts.status import FirewallStatus
from pipeline.release import gates
from tests.waiting import LIMIT_SECONDS


def open_stream(number: int, encoding: str) -> IO[str] | None:
    """As an interpreter does at its start: None for a closed descriptor."""
    try:
        os.fstat(number)
    except OSError:
        return None
    errors = "strict" if number == 1 else "backslashreplace"
    return open(number, "w", encoding=encoding, errors=errors, closefd=False)


def become(_program: str, argv: list[str], _environment: dict[str, str]) -> NoReturn:
    """Stands for ``execve``: the same command line, in this process."""
    at = argv.index("-m")
    if argv[at + 1] == "pipeline.firewall":
        end(pipeline.firewall.cli.main(argv[at + 2 :]))
    end(pipeline.cli.main(argv[at + 2 :]))


def stand_in() -> None:
    """For what takes long, and for what a busy machine decides."""
    setattr(gates.GateRun, "_command", lambda *_: Outcome(22, 0, "22/22"))  # noqa: B010
    setattr(status, "scan_or_known", partial(_patient_scan, scan_or_known))  # noqa: B010


def _patient_scan(
    scan: Callable[..., FirewallStatus], root: Path, known: FirewallStatus, _limit: float | None, **how: Any
) -> Any:
    return scan(root, known, LIMIT_SECONDS, **how)


def end(code: int) -> NoReturn:
    """As an interpreter ends: what is still buffered is written, and 120 says that it could not."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        code = 120
    os._exit(code)


def run(words: list[str], encoding: str, out: str, err: str, directory: str) -> tuple[int, str, str]:
    """``out`` and ``err``: a file, ``closed``, ``full``, or ``gone`` for a pipe that nobody reads."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        pid = os.fork()
        if pid == 0:
            try:
                os.chdir(directory)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                place(1, out, said.fileno())
                place(2, err, told.fileno())
                sys.stdout, sys.stderr = open_stream(1, encoding), open_stream(2, encoding)
                os.execve = become  # type: ignore[assignment]
                end(console.cli.distill.main(words))
            except SystemExit as ended:
                end(ended.code if isinstance(ended.code, int) else 1)
            except BaseException:  # noqa: BLE001 - the fork must end here
                import traceback

                os.write(told.fileno(), traceback.format_exc().encode())
                os._exit(121)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for file in (said, told):
            file.seek(0)
            texts.append(file.read().decode("latin-1"))
        return code, texts[0], texts[1]


def place(number: int, how: str, descriptor: int) -> None:
    match how:
        case "closed":
            os.close(number)
        case "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        case "gone":
            reader, writer = os.pipe()
            os.dup2(writer, number)
            os.close(reader)
            os.close(writer)
        case _:
            os.dup2(descriptor, number)


if __name__ == "__main__":
    for command in (*COMMANDS, BATCH):
        if command.owner != "firewall":
            importlib.import_module(command.module_name)  # once, rather than in every fork
    stand_in()
    answers = [run(*case) for case in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)
