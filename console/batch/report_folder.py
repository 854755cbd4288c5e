"""Write the report folder: each file all or nothing, ``report.json`` last.

Whoever finds ``report.json`` finds the files that belong to it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from pathlib import Path

import orjson

from console.batch.junit import junit
from console.batch.metrics import batch_metrics, last_success_in
from console.batch.outcome import BatchOutcome
from console.batch.part_report import acceptance_root
from console.batch.parts import Part
from console.batch.report import batch_report
from console.batch.sarif import sarif
from console.batch.summary import summary
from pipeline.contracts.faults import StorageError
from pipeline.contracts.status import WorkspaceStatus
from pipeline.platform import disk, disk_faults
from pipeline.platform.lenient_json import bytes_or_empty

REPORT, JUNIT, SUMMARY, METRICS = "report.json", "junit.xml", "summary.md", "metrics.prom"
SARIF, HTML = "report.sarif", "report.html"
PACKED_ROOT = "acceptance-root.tar.gz"
# Acceptance names its temp root like this; anything else is not packed, whatever a report says.
ROOT_PREFIX = "distillation_phase6_acceptance."


def prepare(folder: Path) -> None:
    """Make the folder before anything runs, so that a bad place costs no run. Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "no permission to write there")
    except OSError as error:
        raise StorageError.of(
            "report_folder_refused",
            f"{folder} cannot hold the reports: {error.strerror}.",
            "Nothing was run.",
            "Name another folder with --report-dir.",
            file=str(folder),
        ) from error


def write_reports(folder: Path, batch: BatchOutcome, status: WorkspaceStatus | None) -> dict[str, object]:
    """Write all of them and return the report. Raises StorageError.

    ``status`` is the workspace's own, None where it cannot be read any more: then there is no page.
    """
    packed = _pack_root(folder, batch)
    report = batch_report(batch, packed_root=packed)
    metrics = folder / METRICS
    before = None
    with contextlib.suppress(OSError, ValueError):
        before = last_success_in(bytes_or_empty(metrics).decode())
    _write(folder / JUNIT, junit(batch))
    _write(folder / SARIF, orjson.dumps(sarif(batch), option=orjson.OPT_INDENT_2) + b"\n")
    _write(folder / SUMMARY, summary(batch).encode())
    _write(metrics, batch_metrics(batch, last_success=before).encode())
    _write_page(folder / HTML, batch, status, report)
    _write(folder / REPORT, orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
    return report


def _write_page(
    place: Path, batch: BatchOutcome, status: WorkspaceStatus | None, report: dict[str, object]
) -> None:
    from console.report.facts import read_facts
    from console.report.page import page

    if status is not None:
        _write(place, page(read_facts(Path(batch.workspace), status, report)).encode())
        return
    with contextlib.suppress(OSError):
        place.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    disk.write_file(path, data, mode=disk.SHARED_MODE)


def _pack_root(folder: Path, batch: BatchOutcome) -> str | None:
    """Pack what acceptance kept; None when it kept nothing. An old pack is taken away."""
    target = folder / PACKED_ROOT
    named = acceptance_root(batch.part(Part.ACCEPTANCE))
    root = Path(named) if named else None
    if root is None or not root.name.startswith(ROOT_PREFIX) or not _is_own_folder(root):
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        return None
    try:
        with (
            disk.replacing(target, mode=disk.SHARED_MODE) as file,
            tarfile.open(fileobj=disk.as_file(file), mode="w:gz") as archive,
        ):
            archive.add(root, arcname=root.name, filter=_plain_members)
    except OSError as error:
        raise disk_faults.storage_fault(error, target) from error
    return PACKED_ROOT


def _is_own_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _plain_members(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files, folders and links as links; what would block or act when it is unpacked stays out."""
    return member if member.isfile() or member.isdir() or member.issym() or member.islnk() else None
