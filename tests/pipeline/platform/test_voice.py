"""What is said cannot end a command; what was found keeps its exit code."""

from __future__ import annotations

import ast
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.faults import Fault
from pipeline.platform import disk_faults
from pipeline.platform.voice import Voice, speak

CHECKOUT = Path(pipeline.__file__).parents[1]
SAYS = """
import sys
from pipeline.contracts.faults import ExitCode
from pipeline.platform.voice import Voice, speak

def work():
    voice = Voice()
    for number in range(2_000):
        voice.out(f"{number} é → 日本 … \\ud800")
    voice.note("told → é")
    return int(sys.argv[1])

sys.exit(speak(work, who="The test", kept_safe="Nothing was changed."))
"""


def says(code: int = 0, wrapper: str = '"$@"', **environment: str) -> subprocess.CompletedProcess[bytes]:
    argv = ["bash", "-c", f"set -o pipefail; {wrapper}", "bash", sys.executable, "-P", "-c", SAYS, str(code)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**env, "PYTHONPATH": str(CHECKOUT), **environment}
    return subprocess.run(argv, env=env, capture_output=True, check=False)


def test_a_pipe_where_a_file_belongs_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def met() -> int:
        raise disk_faults.NotPlainError("reports/summary.json", "no plain file")

    assert speak(met, who="The test", kept_safe="Nothing was changed.") == 3
    assert "reports/summary.json is no plain file" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_no_bug_whoever_met_it(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrapped() -> int:
        try:
            raise OSError(number, os.strerror(number), "/somewhere/file")
        except OSError as error:
            raise RuntimeError("a library's own word") from error

    told: list[Fault] = []
    code = speak(wrapped, who="The test", kept_safe="Nothing was changed.", also_tell=told.append)
    lines = capsys.readouterr().err.splitlines()
    assert (code, [line[:13].rstrip() for line in lines]) == (3, ["what happened", "kept safe", "do next"])
    assert f"/somewhere/file could not be read or written: {os.strerror(number)}" in lines[0]
    assert tuple(lines) == told[0].as_lines()


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ascii", rb"0 \xe9 -> \u65e5\u672c ... \ud800"),
        ("latin-1", b"0 \xe9 -> \\u65e5\\u672c ... \\ud800"),
        ("utf-8", "0 é → 日本 … \\ud800".encode()),
    ],
)
def test_what_an_encoding_lacks_is_spelled(encoding: str, line: bytes) -> None:
    done = says(PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, line)
    assert done.stderr.startswith(b"told ")


@pytest.mark.parametrize("where", ["| head -1", ">&-", "2>&-", "2>/dev/full", "<&-"])
@pytest.mark.parametrize("code", [0, 1, 10])
def test_nobody_who_listens_changes_no_exit_code(where: str, code: int) -> None:
    done = says(code, f'"$@" {where}')
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize(("found", "code"), [(0, 3), (1, 1), (10, 10), (5, 3), (75, 75)])
def test_a_full_disk_below_it_is_3_unless_worse_was_found(found: int, code: int) -> None:
    done = says(found, '"$@" >/dev/full')
    lines = done.stderr.decode().splitlines()
    assert done.returncode == code
    assert "Standard output cannot be written: No space left on device" in lines[1]
    assert [line.split("  ")[0] for line in lines[1:]] == ["what happened", "kept safe", "do next"]


def test_a_file_that_is_opened_later_does_not_become_a_closed_standard_output(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pipeline.platform.voice import Voice, speak\n"
        "def work():\n"
        "    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        "    Voice().out('said')\n"
        "    return 0 if file > 2 else 1\n"
        "sys.exit(speak(work, who='x', kept_safe='x'))\n"
    )
    place = tmp_path / "data"
    argv = ["bash", "-c", '"$@" >&- 2>&-', "bash", sys.executable, "-P", "-c", code, str(place)]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    assert subprocess.run(argv, env=env, check=False).returncode == 0
    assert place.read_bytes() == b""


# Where a stream is meant as a descriptor that is handed on, or asked whether a person sits there.
_HANDLED = {"isatty", "fileno", "readline"}
# A fork that becomes an engine or a firewall has streams of its own, and a probe keeps its report clean.
_OWN_STREAMS = {
    "pipeline/acceptance/engine_runs.py",
    "pipeline/firewall/prepared.py",
    "pipeline/platform/engine_probe.py",
}


def test_nothing_but_the_voice_writes_to_a_standard_stream() -> None:
    offenders = []
    examined = 0
    for package in ("pipeline", "console", "runbook"):
        for path in (CHECKOUT / package).rglob("*.py"):
            name = str(path.relative_to(CHECKOUT))
            if name in _OWN_STREAMS or name == "pipeline/platform/streams.py" or "templates" in name:
                continue
            examined += 1
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id="print")):
                        offenders.append(f"{name}:{node.lineno} print")
                    case ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr"), attr=used
                    ) if used not in _HANDLED:
                        offenders.append(f"{name}:{node.lineno} {used}")
    assert examined > 500
    assert offenders == []


def test_a_workspace_whose_name_commands_the_terminal_is_shown_and_not_obeyed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Voice().note("report: /srv/a\x1b[31mb\u202ec/r.md\nnext line")
    assert capsys.readouterr().err == "report: /srv/a\\x1b[31mb\\u202ec/r.md\nnext line\n"
