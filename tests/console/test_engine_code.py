from __future__ import annotations

import os
import shutil
from pathlib import Path

from console.reading.engine_code import EngineCode
from pipeline.contracts import paths
from pipeline.contracts.discovery import installed_package
from pipeline.engine.code_digest import engine_digest
from pipeline.platform.code_digest import ROW_PACKAGES
from tests.console.workspaces import write


def own_engine(root: Path) -> Path:
    """A workspace that brings a small engine of its own."""
    write(root, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    for name in ROW_PACKAGES:
        write(root, f"pipeline/{name}/__init__.py", f'"""{name}"""\n')
    return root


def test_the_digest_is_the_one_that_the_engine_puts_into_its_reports(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, "")
    assert EngineCode(tmp_path).digest() == engine_digest()


def test_a_workspaces_own_copy_of_the_engine_has_the_same_digest(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    shutil.copytree(installed_package(), tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    assert EngineCode(tmp_path).digest() == engine_digest()


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
