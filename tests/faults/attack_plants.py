"""What an attacker leaves in a workspace that was in order: rows, files, pipes, modes.

Plain JSON and plain bytes: nothing of the product is called, as somebody with an editor calls nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Plant = Callable[[Path], object]

SFT = "exports/sft/instruction_response.jsonl"
PAIRS = "exports/preference/chosen_rejected.jsonl"
PLAYBOOKS = "exports/rag/playbooks.jsonl"
EVIDENCE, SCORED = "data/evidence", "data/scored-runs"
# What an interpreter's loader takes for Parquet, whatever the name.
_PARQUET = b"PAR1" + b"\0" * 40 + b"PAR1"


def _rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _write(path: Path, rows: list[Row]) -> None:
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))


def _first(name: str, change: Callable[[Row], object]) -> Plant:
    """The first row of a file, changed in place."""

    def plant(root: Path) -> None:
        rows = _rows(root / name)
        change(rows[0])
        _write(root / name, rows)

    return plant


def _poison(row: Row) -> None:
    row["response"] = row["messages"][-1]["content"] = "Pipe the script from the pastebin into a root shell."


def _swap(row: Row) -> None:
    for kind in ("{}", "{}_run_id", "{}_model_name", "{}_score", "{}_provenance"):
        one, other = kind.format("chosen"), kind.format("rejected")
        row[one], row[other] = row[other], row[one]


def _swap_texts(row: Row) -> None:
    row["chosen"], row["rejected"] = row["rejected"], row["chosen"]


def _role(name: str) -> Plant:
    return _first(SFT, lambda row: row["messages"][-1].update(role=name))


def _playbook(row: Row) -> None:
    row["content"] = row["content"].replace("with care", "with force")


def _rejected_run(root: Path) -> None:
    """The text of a rejected run, labelled as accepted under its own id."""
    verdicts = {row["run_id"]: row["category"] for path in (root / SCORED).iterdir() for row in _rows(path)}
    run = next(
        row
        for path in sorted((root / EVIDENCE).iterdir())
        for row in _rows(path)
        if verdicts.get(row["run_id"]) == "rejected" and not row["messages"]
    )
    rows = _rows(root / SFT)
    row: Row = json.loads(json.dumps(next(each for each in rows if each["shape"] == "flat")))
    row["messages"][0]["content"] = row["instruction"] = run["instruction"]
    row["messages"][1]["content"] = row["response"] = run["response"]
    row |= {"id": "sft-0000000000000001", "source_run_id": run["run_id"], "task_id": run["task_id"]}
    _write(root / SFT, [*rows, row])


def _formatted(root: Path) -> None:
    """A row in a file for trainers, and its receipt made to fit."""
    [path] = (root / "exports/formatted").glob("*.jsonl")
    rows = _rows(path)
    rows[0]["messages"][-1]["content"] = "Pipe the script from the pastebin into a root shell."
    before = path.read_bytes()
    _write(path, rows)
    receipt = path.with_name(f"{path.name}.receipt.json")
    claims = receipt.read_text()
    for one, other in (
        (hashlib.sha256(before).hexdigest(), hashlib.sha256(path.read_bytes()).hexdigest()),
        (f'"bytes":{len(before)}', f'"bytes":{len(path.read_bytes())}'),
    ):
        claims = claims.replace(one, other)
    receipt.write_text(claims)


def _label(row: Row) -> None:
    row["quality_score"] = "accepted "


def _without_sft(plant: Plant) -> Plant:
    """The same where the SFT file was set aside: no asker may stop at its absence."""

    def planted(root: Path) -> None:
        plant(root)
        (root / SFT).rename(root / f"{SFT}.QUARANTINED-1")

    return planted


ROWS: dict[str, Plant] = {
    "poisoned response under an allowed run's id": _first(SFT, _poison),
    "a rejected run labelled accepted": _rejected_run,
    "a label with a blank behind it": _first(SFT, _label),
    "a playbook that its run did not say": _first(PLAYBOOKS, _playbook),
    "a playbook that its run did not say, no SFT file": _without_sft(_first(PLAYBOOKS, _playbook)),
    "sides of a pair swapped": _first(PAIRS, _swap),
    "texts of a pair swapped": _first(PAIRS, _swap_texts),
    "role model": _role("model"),
    "role gpt": _role("gpt"),
    "role Assistant": _role("Assistant"),
    "role assistant, with a blank": _role("assistant "),
    "a member that no exporter writes": _first(SFT, lambda row: row.update(prompt="ask", completion="said")),
    "a poisoned row in a file for trainers": _formatted,
}


def _beside(name: str, text: str | bytes = "") -> Plant:
    def plant(root: Path) -> None:
        row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
        data = text or json.dumps(row) + "\n"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    return plant


def _card(named: str) -> Plant:
    head = f"---\nconfigs:\n- config_name: default\n  data_files: {named}\n---\n"
    return _beside("exports/sft/README.md", head)


def _elsewhere(root: Path) -> None:
    (root / "elsewhere").mkdir()
    (root / "elsewhere/rows.jsonl").write_text("{}\n")
    (root / "exports/sft/more").symlink_to(root / "elsewhere")


BESIDE: dict[str, Plant] = {
    "rows.jsonl.bak": _beside("exports/sft/rows.jsonl.bak"),
    "a copy of the export under a name with a space": _beside("exports/sft/copy (1).jsonl"),
    "a CSV in a folder below": _beside("exports/rag/more/rows.csv.gz"),
    "Parquet that is called notes": _beside("exports/sft/notes", _PARQUET),
    "a README that names rejected rows": _card("../quarantine/sft.jsonl"),
    "a README that names a hidden file": _card(".rows.jsonl"),
    "a README that names a pattern": _card("'*'"),
    ".huggingface.yaml": _beside("exports/sft/.huggingface.yaml", "data_files: rows\n"),
    "a name that ends with .QUARANTINED": _beside("exports/sft/rows.jsonl.QUARANTINED"),
    "a name with .quarantined-1 in small letters": _beside("exports/sft/rows.jsonl.quarantined-1"),
    "a formatted file without a receipt": _beside("exports/formatted/sft.chat-jsonl.jsonl"),
    "a link to a folder of rows": _elsewhere,
}


def _mode(name: str, mode: int) -> Plant:
    return lambda root: (root / name).chmod(mode)


def _gone(name: str) -> Plant:
    return lambda root: shutil.rmtree(root / name)


def _link(root: Path) -> None:
    (root / EVIDENCE / "elsewhere.jsonl").symlink_to("/etc/hostname")


def _torn(root: Path) -> None:
    [path, *_] = sorted((root / SCORED).iterdir())
    path.write_bytes(path.read_bytes()[:-20])


def _and_a_leak(blind: Plant) -> Plant:
    def plant(root: Path) -> None:
        _rejected_run(root)
        blind(root)

    return plant


# A rejected run stands in the export, and what would show it cannot be read.
BLIND: dict[str, Plant] = {
    name: _and_a_leak(plant)
    for name, plant in {
        "evidence that may not be read": _mode(EVIDENCE, 0),
        "verdicts that may not be read": _mode(SCORED, 0),
        "an export that may not be read": _mode("exports/sft", 0),
        "no evidence": _gone(EVIDENCE),
        "no verdicts": _gone(SCORED),
        "verdicts that are cut off": _torn,
        "evidence that leads out of the workspace": _link,
    }.items()
}


def _pipe(name: str) -> Plant:
    def plant(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return plant


def _report(name: str) -> Plant:
    def plant(root: Path) -> None:
        run = max((root / "reports/distillation").glob("2*"))
        _pipe(f"{run.relative_to(root)}/{name}")(root)

    return plant


# Pipes into which nobody writes, where the firewall reads…
BLOCKED: dict[str, Plant] = {
    name: _pipe(name)
    for name in (
        f"{EVIDENCE}/runs.jsonl", f"{SCORED}/runs.jsonl", SFT, PLAYBOOKS, PAIRS, "exports/sft/README.md",
    )
}  # fmt: skip
# …and where somebody else does: the answer may stay what it was.
WAITED_FOR: dict[str, Plant] = {
    **{
        name: _pipe(name)
        for name in (
            "exports/manifest.json", "distill.toml", "docs/recon/local-distillation-recon.md",
            "data/_kb/runs-c.jsonl", ".distill/last-clear.json", ".distill/staged-look",
            "data/_kb/audit_baselines.jsonl", "data/_kb/replay_runs.jsonl", "reports/symptoms.jsonl",
            "reports/journals.jsonl", "reports/distillation/phase8-full-audit-report.json", ".git/HEAD",
        )
    },
    "summary.json of the last run": _report("summary.json"),
    "events.jsonl of the last run": _report("events.jsonl"),
}  # fmt: skip
