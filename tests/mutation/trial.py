"""A second checkout to change, with an interpreter that imports it and nothing of the first."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import site
import subprocess
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutation.changes import Change

CHECKOUT = Path(__file__).resolve().parents[2]
# "unclear": its tests did not end, without the change either, so that nothing is known of it.
Verdict = Literal["killed", "survived", "unclear"]
# A test that takes longer hangs; the whole of a trial may take the other.
_TEST_SECONDS, _TRIAL_SECONDS = 60, 600
_MOST_FLAWED = 5
_QUICK = "not slow and not browser and not trainers"
_NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True)
class Outcome:
    """What the tests said; ``by`` is the test that noticed."""

    verdict: Verdict
    by: str = ""


class UnendedError(Exception):
    """The tests did not end in time."""


class NothingAskedError(Exception):
    """There is no test left that could say anything."""


class Tree:
    """A copy of the tracked files below ``folder``, and an environment beside them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self._folder = folder
        self._environment = folder / "environment"
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True
        ).stdout.split(b"\0")
        for name in filter(None, map(bytes.decode, listed)):
            there = self.root / name
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, there, follow_symlinks=False)
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        venv.create(self._environment, symlinks=True)
        packages = next(self._environment.glob("lib/python*/site-packages"))
        # As paths, not as site folders: the .pth of the first checkout's own install is not obeyed.
        (packages / "tree.pth").write_text("\n".join([str(self.root), *site.getsitepackages()]) + "\n")

    @property
    def python(self) -> Path:
        return self._environment / "bin/python"

    def imports_itself(self) -> bool:
        """Whether the interpreter really imports this copy: else no mutant would ever be noticed."""
        asked = (
            "import pipeline, console, runbook; print(pipeline.__file__, console.__file__, runbook.__file__)"
        )
        said = subprocess.run(
            [str(self.python), "-P", "-s", "-c", asked], capture_output=True, text=True, check=True
        ).stdout.split()
        return len(said) == 3 and all(Path(each).is_relative_to(self.root) for each in said)

    def tried(self, module: Path, change: Change, tests: Sequence[str]) -> Outcome:
        """What the tests say of a change.

        It is noticed when a test fails with it, passes without it, and fails with it once more: a test that
        fails for another reason, as a busy machine, is put aside, and the others are asked. Slow tests are
        asked where there are no others.
        """
        try:
            return self._tried(module, change, tests, _QUICK)
        except NothingAskedError:
            return self._tried(module, change, tests, "")

    def _tried(self, module: Path, change: Change, tests: Sequence[str], marks: str) -> Outcome:
        file = self.root / module
        sound = file.read_bytes()
        flawed: list[str] = []
        try:
            while len(flawed) <= _MOST_FLAWED:
                _write(file, change.applied(sound))
                asked = [each for each in tests if each not in flawed]  # a file that nothing can be had of
                if not asked:
                    break
                failed = self.first_that_fails(asked, flawed, marks)
                if failed is None:
                    return Outcome("survived")
                _write(file, sound)
                if self.first_that_fails([failed], marks=marks) is None:
                    _write(file, change.applied(sound))
                    if self.first_that_fails([failed], marks=marks) is not None:
                        return Outcome("killed", failed)
                flawed.append(failed)
        except UnendedError:
            return self._unended(file, sound, tests, marks)
        except NothingAskedError:
            if not flawed and marks:
                raise
        finally:
            _write(file, sound)
        return Outcome("unclear", flawed[-1] if flawed else "")

    def _unended(self, file: Path, sound: bytes, tests: Sequence[str], marks: str) -> Outcome:
        """Without the change they end in a third of the time: then it is the change that does not end."""
        _write(file, sound)
        try:
            self.first_that_fails(tests, (), marks, _TRIAL_SECONDS / 3)
        except UnendedError:
            return Outcome("unclear")
        return Outcome("killed", "does not end")

    def first_that_fails(
        self,
        tests: Sequence[str],
        without: Sequence[str] = (),
        marks: str = "",
        seconds: float = _TRIAL_SECONDS,
    ) -> str | None:
        """The first test that fails here, or the first file, when not even a test begins.

        Raises UnendedError, and NothingAskedError when all of them were put aside.
        """
        cache, temporary = self._folder / "cache", self._folder / "t"
        shutil.rmtree(cache, ignore_errors=True)
        command = [str(self.python), "-m", "pytest", "-q", "-x", f"--timeout={_TEST_SECONDS}"]
        command += ["-o", f"cache_dir={cache}", f"--basetemp={temporary}"]
        command += ["-m", marks, *(f"--deselect={each}" for each in without)]
        process = subprocess.Popen(
            [*command, *tests],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise UnendedError from None
        finally:
            # With what a changed program has left behind.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            shutil.rmtree(temporary, ignore_errors=True)
        if code == _NO_TESTS:
            raise NothingAskedError
        if code == 0:
            return None
        try:
            return str(next(iter(json.loads((cache / "v/cache/lastfailed").read_text()))))
        except (OSError, StopIteration):
            return next(each for each in tests if each not in without)


def _write(file: Path, source: bytes) -> None:
    """What was compiled goes, too: it is known by size and second, and two changes may share both."""
    file.write_bytes(source)
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()
