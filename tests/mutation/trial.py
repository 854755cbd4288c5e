"""A second checkout to change, with an interpreter that imports it and nothing of the first."""

from __future__ import annotations

import shutil
import site
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

CHECKOUT = Path(__file__).resolve().parents[2]
MOST_FILES = 12
Verdict = Literal["killed", "survived", "timed out"]


class Tree:
    """A copy of the tracked files below ``folder``, and an environment beside them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
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

    def fails(self, tests: Sequence[str], seconds: float) -> bool | None:
        """Whether one of the tests fails here; None when they have not ended in time."""
        command = [str(self.python), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return done.returncode != 0

    def imports_itself(self) -> bool:
        """Whether the interpreter really imports this copy: else no mutant would ever be noticed."""
        asked = (
            "import pipeline, console, runbook; print(pipeline.__file__, console.__file__, runbook.__file__)"
        )
        said = subprocess.run(
            [str(self.python), "-P", "-s", "-c", asked], capture_output=True, text=True, check=True
        ).stdout.split()
        return len(said) == 3 and all(Path(each).is_relative_to(self.root) for each in said)


def files_that_name(module: Path) -> list[str]:
    """The test files that import a module, its own package's first, ``MOST_FILES`` at most.

    Where none does, those of its package. Relative to the checkout.
    """
    dotted = ".".join(module.with_suffix("").parts).removesuffix(".__init__")
    package, _, name = dotted.rpartition(".")
    wanted = (f"from {dotted} import", f"import {dotted}\n", f"from {package} import {name}")
    mirrored = CHECKOUT / "tests" / module.parent
    while not mirrored.is_dir():
        mirrored = mirrored.parent
    files = sorted((CHECKOUT / "tests").rglob("test_*.py"))
    naming = [file for file in files if any(each in file.read_text("utf-8") for each in wanted)]
    naming = naming or [file for file in files if file.is_relative_to(mirrored)]
    naming.sort(key=lambda file: (name not in file.stem, not file.is_relative_to(mirrored)))
    return [str(file.relative_to(CHECKOUT)) for file in naming[:MOST_FILES]]
