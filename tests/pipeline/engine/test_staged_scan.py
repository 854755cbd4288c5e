"""The firewall that works beside the last exporters is never left behind."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from pipeline.contracts import paths
from pipeline.engine.emit import Emitted
from pipeline.engine.output import Output
from pipeline.engine.rows_writer import RowsWriter
from pipeline.engine.run_session import RefusedRunError
from pipeline.engine.staged_exports import check_exports, start_scan
from pipeline.platform import firewall
from tests.pipeline.engine.workspaces import RECORDED_AT


def staged(session: Any, relative: str, count: int) -> Output:
    path = session.staging / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = RowsWriter(path, RECORDED_AT)
    writer.add_lines([b'{"row":%d}\n' % number for number in range(count)])
    return writer.finish(relative)


def scans() -> list[psutil.Process]:
    """The children of this process that scan without end."""
    return [child for child in psutil.Process().children() if "signal.pause()" in child.cmdline()[-1]]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    endless = [sys.executable, "-I", "-c", "import signal; signal.pause()"]
    monkeypatch.setattr(firewall, "firewall_argv", lambda _arguments: endless)
    return SimpleNamespace(
        workspace=tmp_path,
        staging=tmp_path / "staging",
        warn=lambda _message: None,
        check_stop=lambda: None,
        facts=SimpleNamespace(warnings=[]),
    )


def test_a_run_that_is_refused_meanwhile_ends_the_scan(session: Any) -> None:
    standing = session.workspace / paths.RAG_EXPORT
    standing.parent.mkdir(parents=True)
    standing.write_bytes(b"{}\n")
    sft = Emitted("sft", [staged(session, str(paths.SFT_EXPORT), 2)])
    scan = start_scan(session, [sft])
    assert scan is not None
    assert len(scans()) == 1
    rag = Emitted("rag", [staged(session, str(paths.RAG_EXPORT), 0)])
    with pytest.raises(RefusedRunError):
        check_exports(session, [sft, rag], allow_empty=False, scan=scan)
    assert scans() == []


def test_no_scan_starts_on_a_file_without_rows(session: Any) -> None:
    emitted = Emitted("sft", [staged(session, str(paths.SFT_EXPORT), 0)])
    assert start_scan(session, [emitted]) is None
    claim = check_exports(session, [emitted], allow_empty=True)
    assert claim == {"state": "ABSENT", "findings": 0, "sft_sha256": hashlib.sha256(b"").hexdigest()}
    assert scans() == []


def test_rows_get_their_stamp_as_the_last_member(session: Any) -> None:
    output = staged(session, "rows.jsonl", 3)
    written = Path(str(output.staged)).read_bytes()
    assert written == b"".join(
        b'{"row":%d,"recorded_at":"%s"}\n' % (n, RECORDED_AT.encode()) for n in range(3)
    )
    assert (output.rows, output.bytes) == (3, len(written))
    assert output.sha256 == hashlib.sha256(written).hexdigest()
    digests = [hashlib.sha256(b'{"row":%d}\n' % number).digest() for number in range(3)]
    assert output.rows_digest == hashlib.sha256(b"".join(digests)).hexdigest()
