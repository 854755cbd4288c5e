"""The golden logs of presets: a log, its section of ``distill.toml``, and the evidence that it gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.paths import EVIDENCE

FOLDER = Path(__file__).parents[3] / "fixtures" / "presets"
_NOT_SHOWN = ("schema_version", "recorded_at", "run_id", "provenance", "stream")


def evidence_of(name: str, workspace: Path) -> list[dict[str, Any]]:
    """What a run over the golden log of preset ``name`` writes, members that say nothing left out."""
    golden = FOLDER / name
    data = workspace / "data"
    data.mkdir(parents=True)
    (workspace / "distill.toml").write_bytes((golden / "stream.toml").read_bytes())
    for file in golden.iterdir():
        if file.name not in ("stream.toml", "evidence.jsonl"):
            shutil.copytree(file, data / file.name) if file.is_dir() else shutil.copy(file, data)
    assert main(["run-all", "-C", str(workspace), "--workers", "1"]) == ExitCode.OK
    rows = []
    for file in sorted((workspace / EVIDENCE).glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows.append(
                {name: said(value) for name, value in row.items() if name not in _NOT_SHOWN and says(value)}
            )
    return rows


def says(value: Any) -> bool:
    return value not in (None, [], {})


def said(value: Any) -> Any:
    if isinstance(value, list):
        return [said(item) for item in value]
    if isinstance(value, dict):
        return {name: said(inner) for name, inner in value.items() if says(inner)}
    return value


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
