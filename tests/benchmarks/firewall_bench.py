"""How fast the firewall reads, against a plain orjson loop, jq and DuckDB on the same file.

``measure(rows, directory)`` generates a workspace (seeded: the same arguments give the same
bytes), takes every figure several times in turn and keeps the best of each, since neighbours only
ever make a run slower. A figure whose tool is not installed says so in its note.

    python -m tests.benchmarks.firewall_bench [--rows 60000]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.firewall.file_scan import FileScan
from pipeline.firewall.index import Index
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import open_regular
from pipeline.firewall.walls import ALL_WALLS, Wall, Walls
from tests.pipeline.firewall.watching import Watcher

REPEATS = 5
# The four walls that look at a row and the index alone; fidelity reads evidence again.
WITHOUT_FIDELITY = tuple(wall for wall in ALL_WALLS if wall is not Wall.FIDELITY)
APPENDED_ROWS = 10
IDLE_SECONDS = 5.0
ATTEMPTS_PER_TASK = 5
# Category of an attempt and how often it occurs among a hundred.
CATEGORIES = (("accepted", 45), ("partially_accepted", 20), ("needs_human_review", 15), ("rejected", 20))
_WORD_TEXT = (
    "open close read write search table index cache branch merge commit review deploy rollback alarm "
    "timeout retry queue worker chunk digest schema verdict export receipt operator harbour signal "
    "because after before until which where without between first second third larger smaller equal"
)
_WORDS = _WORD_TEXT.split()
# Code in one of fifty words, and another script so seldom that a third of the lines is not ASCII.
_CODE = (
    "def total(rows):\n    return sum(row['count'] for row in rows)\n",
    'if name == "main":\n\traise ValueError("a \\ path")\n',
)
_FOREIGN = ("größer als ", "naïve café; ", "数据与模型 ")
_ALLOWED = frozenset(("accepted", "partially_accepted"))


def measure(rows: int, directory: Path) -> list[dict[str, Any]]:
    """The figures, each as the arguments of ``figures.Figure``. ``rows`` are those of the export."""
    root = directory / "firewall-workspace"
    generate(root, rows)
    export = root / paths.SFT_EXPORT
    places = Places.of(root, None, (), ())
    index = _index(places)
    timed: dict[str, Callable[[], None]] = {
        "orjson": lambda: _plain_loop(export),
        "label": lambda: _scan(export, Walls(None, (Wall.LABEL,))),
        "all": lambda: _scan(export, Walls(index, WITHOUT_FIDELITY)),
        "all with digest": lambda: _scan(export, Walls(index, WITHOUT_FIDELITY), with_digest=True),
        "with fidelity": lambda: _scan(export, Walls(index, ALL_WALLS)),
        "index": lambda: _build(places),
    }
    missing = []
    if shutil.which("jq"):
        timed["jq"] = lambda: _jq(export)
    else:
        missing.append("jq")
    if importlib.util.find_spec("duckdb"):
        timed["DuckDB on one thread"] = lambda: _duckdb(export)
    else:
        missing.append("DuckDB on one thread")
    best = dict.fromkeys(timed, float("inf"))
    for _ in range(REPEATS):
        for name, job in timed.items():
            best[name] = min(best[name], _seconds(job))
    size = export.stat().st_size
    note = f"{rows:,} rows, {size / 1e6:.0f} MB"
    figures = [
        _ratio("label wall alone against a plain orjson loop", best["orjson"] / best["label"], 2, note),
        *(
            _ratio(f"label wall alone against {tool}", best[tool] / best["label"], goal, note)
            for tool, goal in (("jq", 8.0), ("DuckDB on one thread", 1.0))
            if tool in best
        ),
        *(_stated(f"label wall alone against {tool}", 0, "x", "not installed here") for tool in missing),
        _ratio("all four walls against a plain orjson loop", best["orjson"] / best["all"], 0.6, note),
        _stated(
            "all four walls and the file's digest, beside",
            best["orjson"] / best["all with digest"],
            "x",
            note,
        ),
        _stated("all four walls", size / best["all"] / 1e6, " MB/s", note),
        _stated("all four walls and fidelity", size / best["with fidelity"] / 1e6, " MB/s", note),
        _stated(
            "fidelity a row",
            (best["with fidelity"] - best["all"]) / rows * 1e6,
            " µs",
            "its run's evidence read again; no bytes a run: the index holds its place",
        ),
        *_index_figures(places, index, best["index"]),
        *_watch_figures(root),
    ]
    shutil.rmtree(root)
    return figures


def generate(root: Path, rows: int) -> None:
    """A workspace whose export of ``rows`` rows is clear. One row in four is a conversation."""
    rng = random.Random(11)  # noqa: S311 - test data, no secret
    pool = "".join(_piece(rng) for _ in range(200_000))
    for folder in (paths.SFT_EXPORT.parent, paths.EVIDENCE, paths.SCORED_RUNS):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / paths.SETTINGS).write_text("")
    exported = 0
    with (
        (root / paths.SFT_EXPORT).open("wb") as sft,
        (root / paths.evidence_file("bench")).open("wb") as evidence,
        (root / paths.scored_file("bench")).open("wb") as scored,
    ):
        for run in _runs(rng, pool, rows):
            evidence.write(orjson.dumps(run["evidence"]) + b"\n")
            scored.write(orjson.dumps(run["scored"]) + b"\n")
            if run["scored"]["category"] in _ALLOWED:
                sft.write(orjson.dumps(run["sft"]) + b"\n")
                exported += 1
                if exported == rows:
                    return


def _piece(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.0008:
        return rng.choice(_FOREIGN)
    return rng.choice(_CODE) if chance < 0.02 else f"{rng.choice(_WORDS)} "


def _runs(rng: random.Random, pool: str, rows: int) -> Iterator[dict[str, Any]]:
    names, weights = [name for name, _ in CATEGORIES], [weight for _, weight in CATEGORIES]
    tasks = max(1, rows // ATTEMPTS_PER_TASK)
    number = 0
    while True:
        category = rng.choices(names, weights)[0]
        task = f"task-{number % tasks}"
        messages = _conversation(rng, pool) if number % 4 == 0 else None
        response = messages[-1]["content"] if messages else _text(rng, pool, 1200)
        instruction = messages[1]["content"] if messages else f"{task}: {pool[:200]}"
        yield _run(number, category, task, instruction, response, messages)
        number += 1


def _run(
    number: int,
    category: str,
    task: str,
    instruction: str,
    response: str,
    messages: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    identity = {"run_id": f"bench/{number:016x}", "task_id": task, "stream": "bench"}
    provenance = {
        "source_file": "data/_kb/bench.jsonl",
        "line": number + 1,
        "byte_offset": number * 3000,
        "sig_hash": f"{number:064x}",
        "part": 0,
    }
    stamp = {"provenance": provenance, "recorded_at": "2026-01-09T10:22:31Z"}
    evidence = {
        "schema_version": 1, **identity, "timestamp": None, "model_name": "delta-70b", "model_provider": None,
        "instruction": instruction, "context": None, "response": response, "goal": None, "messages": messages,
        "tools": None, "success_markers": [], "failure_markers": [], "reward": 0.5, "verdict": None,
        "human_override": None, "validation": {}, "tokens": 512, "cost_usd": 0.0123, "latency_ms": 812.5,
        "tags": [], **stamp,
    }  # fmt: skip
    scored = {
        "schema_version": 1, **identity, "category": category, "score": 0.5, "reasons": ["reward_partial"],
        "sub_scores": {"reward": 0.5}, "scorer_version": "1", **stamp,
    }  # fmt: skip
    told = messages or [_turn("user", instruction), _turn("assistant", response)]
    sft = {
        "id": f"sft-{number:016x}", "shape": "conversation" if messages else "flat",
        "instruction": instruction, "context": messages[0]["content"] if messages else "",
        "response": response,
        "messages": [_exported(turn) for turn in told], "tools": "",
        "source_run_id": identity["run_id"], "quality_score": category,
        "stream": "bench", "task_id": task, "model_name": "delta-70b", "score": 0.5, "turns": 1,
        "estimated_tokens": 512, "flags": "", "split": "train", "provenance": provenance,
        "attempts": ATTEMPTS_PER_TASK, "passed": 1, "recorded_at": stamp["recorded_at"],
    }  # fmt: skip
    return {"evidence": evidence, "scored": scored, "sft": sft}


def _turn(role: str, content: str | None, calls: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {"role": role, "content": content, "tool_calls": calls, "tool_call_id": None, "name": None}


def _exported(turn: dict[str, Any]) -> dict[str, Any]:
    calls = orjson.dumps(turn["tool_calls"]).decode() if turn["tool_calls"] else ""
    return {
        "role": turn["role"], "content": turn["content"] or "", "tool_calls": calls, "tool_call_id": "",
        "name": "", "reasoning": "", "weight": 1.0,
    }  # fmt: skip


def _conversation(rng: random.Random, pool: str) -> list[dict[str, Any]]:
    turns = [_turn("system", pool[:800]), _turn("user", _text(rng, pool, 300))]
    for number in range(rng.randrange(4)):
        arguments = orjson.dumps({"path": _text(rng, pool, 30)}).decode()
        turns.append(
            _turn("assistant", None, [{"id": f"call_{number}", "name": "search", "arguments": arguments}])
        )
        turns.append(_turn("tool", _text(rng, pool, 600)))
    return [*turns, _turn("assistant", _text(rng, pool, 700))]


def _text(rng: random.Random, pool: str, middle: int) -> str:
    length = min(20_000, int(rng.lognormvariate(0, 0.7) * middle) + 1)
    start = rng.randrange(len(pool) - length)
    return pool[start : start + length]


def _plain_loop(export: Path) -> None:
    forbidden = 0
    with export.open("rb") as file:
        for line in file:
            if orjson.loads(line)["quality_score"] not in _ALLOWED:
                forbidden += 1
    assert not forbidden


def _scan(export: Path, walls: Walls, *, with_digest: bool = False) -> None:
    scan = FileScan(open_regular(export), export.name, walls, with_digest=with_digest)
    while scan.advance():
        pass
    os.close(scan.descriptor)
    assert not scan.findings.count


def _jq(export: Path) -> None:
    query = 'select(.quality_score != "accepted" and .quality_score != "partially_accepted")'
    found = subprocess.run(["jq", "-c", query, str(export)], capture_output=True, check=True)
    assert not found.stdout


def _duckdb(export: Path) -> None:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(
            "SELECT count(*) FROM "
            "read_json(?, format='newline_delimited', columns={quality_score: 'VARCHAR'}) "
            "WHERE quality_score IS NULL OR quality_score NOT IN ('accepted', 'partially_accepted')",
            [str(export)],
        ).fetchone()
    assert found == (0,)


def _index(places: Places) -> Index:
    index = Index(*places.index_files())
    for _ in index.build():
        pass
    assert index.doubt is None
    return index


def _build(places: Places) -> None:
    _index(places)


def _index_figures(places: Places, index: Index, seconds: float) -> list[dict[str, Any]]:
    size = sum(path.stat().st_size for path in (*index.scored, *index.evidence))
    counts = index.counts
    note = f"{index.runs.runs:,} runs, {counts.rejected:,} of them rejected, {size / 1e6:.0f} MB"
    return [
        _stated("index build", size / seconds / 1e6, " MB/s", note),
        _stated("index memory a run", index.runs.bytes_held / index.runs.runs, " B", "verdict and task"),
        _stated(
            "index memory a rejected run", index.texts.bytes_held / counts.rejected, " B", "its text, besides"
        ),
    ]


def _watch_figures(root: Path) -> list[dict[str, Any]]:
    """Time from the write of a forbidden row to the alarm, and what waiting for it costs."""
    export = root / paths.SFT_EXPORT
    with export.open("rb") as file:
        row = orjson.loads(file.readline())
    row["source_run_id"] = "bench/unknown"
    line = orjson.dumps(row) + b"\n"
    delays = []
    with Watcher(root) as watcher:
        watcher.until_state("CLEAR")
        before = _cpu_seconds(watcher.process.pid)
        time.sleep(IDLE_SECONDS)
        idle = (_cpu_seconds(watcher.process.pid) - before) / IDLE_SECONDS
        for count in range(1, APPENDED_ROWS + 1):
            time.sleep(0.037 * count)  # meet the watcher at different points of its pause
            start = time.perf_counter()
            with export.open("ab") as file:
                file.write(line)
            watcher.until(lambda event, count=count: event["findings_count"] == count)  # type: ignore[misc]
            delays.append(time.perf_counter() - start)
    note = f"worst of {APPENDED_ROWS}, appended to {export.stat().st_size / 1e6:.0f} MB"
    return [
        _limit("forbidden row on disk to the alarm", max(delays), 1.0, " s", note),
        _limit("watcher that waits, of one core", idle * 100, 5.0, " %", f"over {IDLE_SECONDS:.0f} s"),
    ]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _seconds(job: Callable[[], None]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def _ratio(what: str, value: float, goal: float, note: str) -> dict[str, Any]:
    return {**_stated(what, value, "x", note), "limit": goal, "higher_is_better": True}


def _limit(what: str, value: float, limit: float, unit: str, note: str) -> dict[str, Any]:
    return {**_stated(what, value, unit, note), "limit": limit}


def _stated(what: str, value: float, unit: str, note: str) -> dict[str, Any]:
    return {"what": what, "value": value, "limit": None, "unit": unit, "note": note}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=60_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for row in measure(arguments.rows, Path(directory)):
            goal = "" if row["limit"] is None else f"(goal {row['limit']})"
            sys.stdout.write(
                f"{row['what']:<52} {row['value']:8.2f}{row['unit']:6} {goal:12} {row['note']}\n"
            )


if __name__ == "__main__":
    main()
