"""The engine's digest covers what makes rows, so that an edited engine is never hidden."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pipeline
from pipeline.platform.code_digest import ROW_PACKAGES

_TOP_LEVEL = (
    "import sys, pipeline.engine.run_all, pipeline.engine.row_builder, pipeline.engine.emit_preference;"
    "print(*sorted({name.split('.')[1] for name in sys.modules if name.startswith('pipeline.')}))"
)
# Read on the way, and of no consequence for a row: paths and events, the head of the repository,
# which runs there were.
_NOT_ROWS = {"contracts", "platform", "reading"}


def _python(code: str, path: Path) -> str:
    environment = {"PYTHONPATH": str(path), "PATH": "/usr/bin:/bin"}
    finished = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()


def test_every_package_that_a_run_imports_is_covered() -> None:
    root = Path(str(pipeline.__file__)).parent.parent
    assert set(_python(_TOP_LEVEL, root).split()) - _NOT_ROWS == set(ROW_PACKAGES)


def test_an_edit_of_a_stage_moves_the_digest_and_one_of_the_audit_does_not(
    tmp_path: Path,
) -> None:
    shutil.copytree(Path(str(pipeline.__file__)).parent, tmp_path / "pipeline")
    ask = "from pipeline.engine.code_digest import engine_digest; print(engine_digest())"
    before = _python(ask, tmp_path)
    with (tmp_path / "pipeline/audit/full.py").open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    assert _python(ask, tmp_path) == before
    with (tmp_path / "pipeline/stages/score.py").open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    assert _python(ask, tmp_path) != before
