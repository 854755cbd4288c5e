"""The root that a gate works in, and all that is changed outside of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pipeline.acceptance.gate import TerminatedError
from pipeline.acceptance.invariant import Results
from pipeline.acceptance.isolation import INVARIANTS
from pipeline.acceptance.listings import RealWorkspace, changes, listing
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.temp_root import KEPT_ROOTS, PREFIX, forget_old_roots, temp_root
from pipeline.acceptance.write_watch import WATCHED
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.engine import run_state
from pipeline.engine.run_state import RunState
from pipeline.platform import lock
from tests.waiting import LIMIT_SECONDS

# A root is private, goes when all is well, stays when not, and only so many stay


def test_a_root_is_private_and_removed(tmp_path: Path) -> None:
    with temp_root(tmp_path) as root:
        assert root.path.name.startswith(PREFIX)
        assert stat.S_IMODE(root.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(root.home.stat().st_mode) == 0o700
        (root.path / "data").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_a_root_is_removed_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a bug"), temp_root(tmp_path):
        raise ValueError("a bug")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("signalled", [KeyboardInterrupt, SystemExit, TerminatedError])
def test_who_is_interrupted_waits_for_no_disk_and_the_root_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signalled: type[BaseException]
) -> None:
    def takes_for_ever(*_: object, **__: object) -> None:
        pytest.fail("the disk was waited for")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", takes_for_ever)
        with pytest.raises(signalled), temp_root(tmp_path) as root:
            raise signalled
    assert root.remover is not None
    assert root.remover.wait(LIMIT_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []


def kept_root(tmp_path: Path) -> Path:
    with temp_root(tmp_path) as root:
        root.keep = True
    return root.path


def test_the_five_latest_are_kept(tmp_path: Path) -> None:
    made = []
    for number in range(KEPT_ROOTS + 2):
        made.append(kept_root(tmp_path))
        os.utime(made[-1], (number, number))
    forget_old_roots(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(made[-KEPT_ROOTS:])


def test_a_root_in_use_is_not_tidied_away(tmp_path: Path) -> None:
    oldest = kept_root(tmp_path)
    os.utime(oldest, (0, 0))
    held = os.open(oldest, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        for _ in range(KEPT_ROOTS):
            kept_root(tmp_path)
        assert oldest.is_dir()
    finally:
        os.close(held)
    forget_old_roots(tmp_path)
    assert not oldest.exists()


def test_what_only_looks_like_a_root_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    file = tmp_path / f"{PREFIX}file"
    file.touch()
    for _ in range(KEPT_ROOTS + 1):
        kept_root(tmp_path)
    assert (elsewhere / "file").exists()
    assert link.is_symlink()
    assert file.exists()


# A listing sees what was changed, whoever hides it


def test_every_kind_of_change_is_seen(tmp_path: Path) -> None:
    for name in ("same", "longer", "rewritten", "gone"):
        (tmp_path / name).write_text("12")
    before = listing(tmp_path)
    (tmp_path / "longer").write_text("123")
    times = (tmp_path / "rewritten").stat()
    (tmp_path / "rewritten").write_text("21")
    os.utime(tmp_path / "rewritten", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "gone").unlink()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("same")
    assert changes(before, listing(tmp_path)) == ["folder", "gone", "link", "longer", "rewritten"]


@pytest.mark.parametrize("alive", [".git/index", ".distill/lock", "reports/x.md", "data/_kb/runs.jsonl"])
def test_what_lives_in_a_workspace_is_not_watched(tmp_path: Path, alive: str) -> None:
    before = RealWorkspace.of(tmp_path).files
    (tmp_path / alive).parent.mkdir(parents=True)
    (tmp_path / alive).touch()
    folders = {str(parent) for parent in Path(alive).parents}
    assert set(changes(before, RealWorkspace.of(tmp_path).files)) <= folders


def test_an_operators_run_is_recognised(tmp_path: Path) -> None:
    assert not RealWorkspace.of(tmp_path).is_held
    (tmp_path / paths.STATE).mkdir()
    with lock.hold_workspace(tmp_path, command="run-all", pipeline_run_id="x", argv=()):
        assert RealWorkspace.of(tmp_path).is_held


# Every way to write outside is seen, and nothing else is

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


# A01, on a gate that has run nothing but what is told here


def _a01(real: Path, watched: str, meanwhile: Callable[[], object]) -> Outcome:
    with temp_root(real.parent) as root:
        scene = cast(Scene, SimpleNamespace(root=root, real=real, real_before=RealWorkspace.of(real)))
        root.writes_log.write_text(watched, encoding="utf-8")
        meanwhile()
        return INVARIANTS["A01"].judge(scene, cast(Results, None))


@pytest.fixture
def real(tmp_path: Path) -> Path:
    workspace = tmp_path / "real"
    (workspace / "exports").mkdir(parents=True)
    (workspace / "exports/sft.jsonl").write_text("{}\n")
    return workspace


def test_a_real_workspace_that_stayed_as_it_was_is_whole(real: Path) -> None:
    outcome = _a01(real, f"{WATCHED} 1\n", lambda: None)
    assert (outcome.failed, outcome.examined > 1) == (0, True)


def test_a_file_of_the_real_workspace_that_changed_meanwhile_is_named(real: Path) -> None:
    outcome = _a01(real, f"{WATCHED} 1\n", lambda: (real / "exports/sft.jsonl").write_text("{}\n{}\n"))
    assert outcome.failed == 1
    assert "changed while acceptance ran" in outcome.detail
    assert outcome.examples[0].file == "exports/sft.jsonl"


def test_a_run_of_the_operators_own_tells_nothing_of_the_gate(real: Path) -> None:
    def run() -> None:
        (real / "exports/sft.jsonl").write_text("{}\n{}\n")
        state = real / paths.RUN_STATE
        state.parent.mkdir(parents=True, exist_ok=True)
        run_state.save(real, RunState(pipeline_run_id="20260101T000000Z-0001"))

    assert _a01(real, f"{WATCHED} 1\n", run).failed == 0


def test_what_was_written_elsewhere_or_watched_by_nobody_is_wrong(real: Path) -> None:
    assert "outside the temp root: /etc/it" in _a01(real, f"{WATCHED} 1\n/etc/it\n", lambda: None).detail
    assert _a01(real, "", lambda: None).detail == "no process was watched"
