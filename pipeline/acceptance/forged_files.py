"""Forgeries in the files beside SFT that A14 plants: what verdicts forbid, and a row that nobody said.

Each text is one that its run holds, or the receipt accounts for its file: only the one wall sees it. A row
that is there twice, lies on the other side, or weighs something else, has all the texts of its run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.acceptance.invariant import Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.written import Row, Written
from pipeline.contracts import paths

Scan = Callable[[Scene, Path, str], dict[str, Any]]
JOB = "forged_files"
_FORMATS = ("trl-conversational/train.jsonl", "chat-jsonl/train.jsonl")


def jobs(scene: Scene, scan: Scan) -> list[Job]:
    return [Job(JOB, lambda: _scan(scene, scan), after=("base",))]


def _scan(scene: Scene, scan: Scan) -> dict[str, Any]:
    workspace = scene.copy_of_base("forged-files")
    playbook = _row(scene.base, paths.RAG_EXPORT)
    turned, pair = (_row(scene.base, paths.PREFERENCE_EXPORT, number) for number in (0, 1))
    rows = [
        (paths.PREFERENCE_EXPORT, pair, "lineage"),
        (paths.PREFERENCE_EXPORT, _with_a_weight(pair), "fidelity"),
        (paths.PREFERENCE_EXPORT, _across(pair), "fidelity"),
        (paths.RAG_EXPORT, _of_rejected(scene.base), "lineage"),
        (paths.RAG_EXPORT, playbook, "lineage"),
        (paths.RAG_EXPORT, {**playbook, "task_id": f"{playbook['task_id']}-forged"}, "fidelity"),
        (paths.RAG_EXPORT, _across(playbook), "fidelity"),
    ]
    # In its own place, as the runs of a row that is added stand in two.
    planted = [(*_replace_first(workspace, paths.PREFERENCE_EXPORT, _turned(turned)), "lineage")]
    planted += [(*_append(workspace, export, row), wall) for export, row, wall in rows]
    planted += [(*each, "lineage") for each in _formatted(workspace, scene.base)]
    return {"planted": planted, "said": scan(scene, workspace, "forged-files")}


def judge(said: dict[str, Any], tally: Tally) -> int:
    """Hold each forgery against what the firewall found; the number of them."""
    found = [tuple(finding) for finding in said["said"]["files"]]
    planted = [tuple(each) for each in said["planted"]]
    for file, line, wall in planted:
        tally.look(
            (file, line, wall) in found, f"a forgery is not seen by the wall `{wall}`", file=file, line=line
        )
    for file, line, wall in found:
        if (file, line, wall) not in planted:
            tally.wrong(
                f"the wall `{wall}` refuses what is no forgery, or not for that", file=file, line=line
            )
    return len(planted)


def _row(base: Written, export: PurePosixPath, number: int = 0) -> Row:
    return {name: value for name, value in base.rows(export)[number].items() if name != "_line"}


def _turned(row: Row) -> Row:
    """A pair that prefers the answer of the rejected run."""
    other = {f"chosen{part}": f"rejected{part}" for part in ("", "_run_id", "_model_name")}
    both = {**other, **{name: key for key, name in other.items()}}
    return {**row, "id": "pref-forged", **{name: row[key] for name, key in both.items()}}


def _with_a_weight(row: Row) -> Row:
    """A pair of which an answer is hardly learnt."""
    return {**row, "chosen": [{**turn, "weight": 0.5} for turn in row["chosen"]]}


def _across(row: Row) -> Row:
    """A row on the other side of the split."""
    return {**row, "split": {"train": "validation", "validation": "train"}[row["split"]]}


def _of_rejected(base: Written) -> Row:
    """The playbook of a rejected run, with the texts of that run."""
    run = next(row for row in base.evidence if row["instruction"] and _is_rejected(base, row))
    pieces = (run["instruction"], run["context"] or "", run["response"])
    kept = {name: value for name, value in _row(base, paths.RAG_EXPORT).items() if name != "split"}
    return {
        **kept,
        "id": "rag-forged",
        "source_run_id": run["run_id"],
        **{name: run[name] or "" for name in ("stream", "task_id", "model_name")},
        "content": "\n\n".join(filter(None, pieces)),
        "embedding_text": run["instruction"],
    }


def _is_rejected(base: Written, run: Row) -> bool:
    return base.category.get(run["run_id"]) == "rejected"


def _replace_first(workspace: Path, export: PurePosixPath, row: Row) -> tuple[str, int]:
    path = workspace / export
    _, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([json.dumps(row).encode() + b"\n", *others]))
    return str(export), 1


def _append(workspace: Path, export: PurePosixPath, row: Row) -> tuple[str, int]:
    path = workspace / export
    data = path.read_bytes()
    path.write_bytes(data + json.dumps(row).encode() + b"\n")
    return str(export), data.count(b"\n") + 1


def _formatted(workspace: Path, base: Written) -> list[tuple[str, int]]:
    """A row of SFT and one that nobody said, and a row twice, in files that their receipts account for."""
    rows = base.rows(paths.SFT_EXPORT)
    flat = next(row for row in rows if row["shape"] == "flat" and row["split"] == "train")
    honest = [{"role": turn["role"], "content": turn["content"]} for turn in flat["messages"]]
    forged = [*honest[:-1], {"role": "assistant", "content": "This is what nobody said."}]
    return [
        _accounted_for(workspace, name, [honest, second])
        for name, second in zip(_FORMATS, (forged, honest), strict=True)
    ]


def _accounted_for(workspace: Path, name: str, rows: list[list[Row]]) -> tuple[str, int]:
    """A file of conversations with its receipt; and the number of its last row."""
    data = b"".join(json.dumps({"messages": turns}).encode() + b"\n" for turns in rows)
    file = paths.FORMATTED / name
    receipt = {
        "export": "sft",
        "output": {"path": str(file), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
        "source": {
            "path": str(paths.SFT_EXPORT),
            "sha256": hashlib.sha256((workspace / paths.SFT_EXPORT).read_bytes()).hexdigest(),
        },
    }
    for place, written in (
        (workspace / file, data),
        (workspace / paths.FORMAT_RECEIPTS / f"{name}.receipt.json", json.dumps(receipt).encode()),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(written)
    return str(file), len(rows)
