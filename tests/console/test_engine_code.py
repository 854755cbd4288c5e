from __future__ import annotations

import os
import shutil
from pathlib import Path

import console.reading.engine_code
from console.reading.engine_code import INSTALLED, EngineCode
from pipeline.contracts import paths
from pipeline.engine import code_digest
from tests.console.workspaces import write


def own_engine(root: Path) -> Path:
    """A workspace that brings a small engine of its own."""
    write(root, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    for name in console.reading.engine_code.ROW_PACKAGES:
        write(root, f"pipeline/{name}/__init__.py", f'"""{name}"""\n')
    return root


def test_the_digest_is_the_one_that_the_engine_puts_into_its_reports(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, "")
    assert EngineCode(tmp_path).digest() == code_digest.engine_digest()
    assert console.reading.engine_code.ROW_PACKAGES == code_digest.ROW_PACKAGES


def test_a_workspaces_own_copy_of_the_engine_has_the_same_digest(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    shutil.copytree(INSTALLED, tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    assert EngineCode(tmp_path).digest() == code_digest.engine_digest()


def test_an_edited_line_is_another_engine_and_an_added_audit_is_not(tmp_path: Path) -> None:
    code = EngineCode(own_engine(tmp_path))
    before = code.digest()
    write(tmp_path, "pipeline/audit/p9.py", "x = 1\n")
    assert code.digest() == before
    write(tmp_path, "pipeline/stages/__init__.py", "x = 1\n")
    assert code.digest() != before


def test_code_that_cannot_be_read_has_no_digest_and_blocks_nobody(tmp_path: Path) -> None:
    code = EngineCode(own_engine(tmp_path))
    os.mkfifo(tmp_path / "pipeline/stages/fifo.py")
    assert code.digest() is None
    shutil.rmtree(tmp_path / "pipeline")
    assert code.digest() is None
