"""Which function carries out an emit task. A disk that refuses becomes the operator's StorageError."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.engine.allocator import give_back
from pipeline.engine.emit import KEPT_SAFE, EmitTask, Emitted, emit_decontamination, emit_section, emit_skips
from pipeline.engine.emit_export import emit_export
from pipeline.engine.rows_writer import closing_writers
from pipeline.engine.standing_rows import StandingChangedError
from pipeline.platform import disk_faults
from pipeline.settings.model import ExportSettings


def emit(task: EmitTask, options: ExportSettings) -> Emitted:
    """Carry out one task. Raises StorageError when the disk refuses."""
    try:
        with closing_writers():
            try:
                return _emit(task, options)
            except StandingChangedError:
                return _emit(replace(task, previous={}), options)
    except OSError as error:
        raise disk_faults.storage_fault(error, Path(task.staging) / task.outputs[0], KEPT_SAFE) from error
    finally:
        give_back()


def _emit(task: EmitTask, options: ExportSettings) -> Emitted:
    match task.kind:
        case "evidence" | "scored":
            return emit_section(task)
        case "rag" | "sft":
            return emit_export(task, options)
        case "preference":
            # Not at the top: P2 alone must not need an exporter.
            from pipeline.engine.emit_preference import emit_preference

            return emit_preference(task, options)
        case "decontamination":
            return emit_decontamination(task)
        case _:
            return emit_skips(task)
