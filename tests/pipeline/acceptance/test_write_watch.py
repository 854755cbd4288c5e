"""Every way to write outside is seen, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.acceptance.write_watch import WATCHED

DRIVER = """\
import os, shutil, sqlite3, sys
from pathlib import Path
from pipeline.acceptance.write_watch import watch
root, log, outside = sys.argv[1:4]
watch(root, log)
exec(sys.argv[4])
"""


def seen(tmp_path: Path, code: str) -> list[str]:
    """What the log says of a process that runs ``code``, with ``root`` and ``outside`` at hand."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside):
        folder.mkdir()
        (folder / "there").write_text("x")
    log = tmp_path / "log"
    argv = [sys.executable, "-c", DRIVER, str(root), str(log), str(outside), code]
    finished = subprocess.run(argv, capture_output=True, check=False, cwd=outside)
    assert finished.returncode == 0, finished.stderr.decode()
    first, *rest = log.read_text().splitlines()
    assert first.startswith(f"{WATCHED} ")
    return [line.replace(str(outside), "OUTSIDE") for line in rest]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("open(outside + '/new', 'w')", "open OUTSIDE/new"),
        ("open('relative', 'ab')", "open OUTSIDE/relative"),
        ("os.open(outside + '/new', os.O_CREAT | os.O_WRONLY)", "open OUTSIDE/new"),
        ("Path(outside, 'folder').mkdir()", "os.mkdir OUTSIDE/folder"),
        ("os.rename(root + '/there', outside + '/moved')", "os.rename OUTSIDE/moved"),
        ("os.rename(outside + '/there', root + '/moved')", "os.rename OUTSIDE/there"),
        ("os.link(root + '/there', outside + '/linked')", "os.link OUTSIDE/linked"),
        ("os.symlink(root, outside + '/link')", "os.symlink OUTSIDE/link"),
        ("os.remove(outside + '/there')", "os.remove OUTSIDE/there"),
        ("os.truncate(outside + '/there', 0)", "os.truncate OUTSIDE/there"),
        ("os.chmod(outside + '/there', 0o600)", "os.chmod OUTSIDE/there"),
        ("os.utime(outside + '/there')", "os.utime OUTSIDE/there"),
        ("os.mkdir('below', dir_fd=os.open(outside, os.O_RDONLY))", "os.mkdir OUTSIDE/below"),
        ("sqlite3.connect(outside + '/base').close()", "sqlite3.connect OUTSIDE/base"),
        (
            "os.waitpid(os.fork() or os._exit(open(outside + '/new', 'w').fileno() * 0), 0)",
            "open OUTSIDE/new",
        ),
    ],
)
def test_a_write_outside_is_seen(tmp_path: Path, code: str, line: str) -> None:
    assert line in seen(tmp_path, code)


def test_a_link_inside_that_leads_out_is_followed(tmp_path: Path) -> None:
    assert seen(tmp_path, "os.symlink(outside, root + '/out'); open(root + '/out/new', 'w')") == [
        "open OUTSIDE/new"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "open(root + '/new', 'w')",
        "open(outside + '/there').read()",
        "os.open(outside + '/there', os.O_RDONLY)",
        "Path(root, 'a', 'b').mkdir(parents=True); shutil.rmtree(root + '/a')",
        "os.rename(root + '/there', root + '/moved')",
        "os.listdir(outside); os.stat(outside)",
        "open(os.devnull, 'w')",
        "sqlite3.connect(':memory:').close()",
    ],
)
def test_reading_and_writing_inside_are_not(tmp_path: Path, code: str) -> None:
    assert seen(tmp_path, code) == []
