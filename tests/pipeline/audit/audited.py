"""A small audited workspace, and one call that audits a copy of it."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from pipeline import cli
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.contracts import paths
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT
from pipeline.engine.code_digest import engine_digest
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import make_workspace, run_all

Row = dict[str, Any]
REQUIRED = tuple(spec.id for spec in AUDIT if spec.required)


def build(root: Path) -> Path:
    """Two tier-1 streams with everything in them, run once, with a recon doc."""
    workspace = make_workspace(root)
    doc = workspace / paths.RECON_DOC
    doc.parent.mkdir(parents=True)
    doc.write_text("# Recon\n\nTwo logs, both ours.\n", encoding="utf-8")
    run_all(workspace)
    return workspace


def view_of(workspace: Path) -> WorkspaceView:
    return WorkspaceView(workspace, load_settings(workspace).settings)


def passing_acceptance(place: Path) -> Path:
    """A report of 22 passes by this engine: what an audit is handed when the gate is not its subject."""
    checks = [{"id": spec.id, "status": "pass"} for spec in ACCEPTANCE]
    report = {"kind": "acceptance", "engine": {"digest": engine_digest()}, "checks": checks}
    place.write_text(json.dumps(report), encoding="utf-8")
    return place


def audit(workspace: Path, *arguments: str) -> dict[str, Any]:
    """The report as data; its exit code is that of the command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = cli.main(["audit-full", "-C", str(workspace), "--json", *arguments])
    report: dict[str, Any] = json.loads(out.getvalue())
    assert report["exit_code"] == code
    return report


def statuses(report: Row) -> dict[str, str]:
    return {check["id"]: check["status"] for check in report["checks"]}


def not_passed(report: Row) -> dict[str, str]:
    """Every check that is neither a pass nor plain information."""
    return {name: status for name, status in statuses(report).items() if status not in ("pass", "info")}


def check_of(report: Row, check_id: str) -> Row:
    """One check of a report."""
    found: Row = next(check for check in report["checks"] if check["id"] == check_id)
    return found


def read_rows(workspace: Path, relative: object) -> list[Row]:
    return [orjson.loads(line) for line in (workspace / str(relative)).read_bytes().splitlines()]


def edit_rows(workspace: Path, relative: object, edit: Callable[[list[Row]], object]) -> None:
    """Rewrite a file of rows after ``edit`` has changed the list in place."""
    rows = read_rows(workspace, relative)
    edit(rows)
    (workspace / str(relative)).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def flip(path: Path, at: bytes, offset: int = 0) -> None:
    """Change the one byte that stands ``offset`` bytes after the first ``at``."""
    data = bytearray(path.read_bytes())
    position = data.index(at) + len(at) + offset
    data[position] ^= 0x01
    path.write_bytes(bytes(data))


def run_folder(workspace: Path) -> Path:
    """The folder of the only run."""
    (summary,) = (workspace / paths.REPORTS).glob("*/summary.json")
    return summary.parent
