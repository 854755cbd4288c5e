"""A08, A18, A19: runs that repeat themselves, receipts that recompute, a hash that nothing else moves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.acceptance.engine_runs import interpreter, must_end_with
from pipeline.acceptance.fixture import FLAT_FILE
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene, age, state_of
from pipeline.acceptance.written import Row, Written, rows_digest, source_lines
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import plural, with_verb


@dataclass(frozen=True)
class Surroundings:
    """What a result must not depend on. Each member that is set differs from the base run."""

    env: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o022
    workers: str = "1"
    chunk_bytes: str = "1MiB"
    backwards: bool = False


SURROUNDINGS = {
    "factors_1": Surroundings(
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}, 0o077, "2", "1KiB", backwards=True
    ),
    "factors_2": Surroundings(
        {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "POSIX"},
        0o002,
        "3",
        "3000",
        backwards=True,
    ),
}
_ONE_BYTE = (b"sort by size", b"sort by sizE")


def jobs(scene: Scene) -> list[Job]:
    def surroundings(name: str) -> Job:
        return Job(name, lambda: _run_elsewhere(scene, name), after=("base",))

    return [
        Job("base", scene.run_base),
        Job("again", lambda: _run_again(scene), after=("base",)),
        *(surroundings(name) for name in SURROUNDINGS),
        Job("one_byte", lambda: _run_with_one_byte_changed(scene)),
    ]


# A08


def _run_again(scene: Scene) -> dict[str, Any]:
    """In a copy whose sources have other times, so that chunks must be told by what they hold; then
    once more in the same place."""
    workspace = scene.copy_of_base("again")
    age(workspace)
    states = {}
    for name in ("copied", "same place"):
        scene.fork_run(f"again-{name.replace(' ', '-')}", workspace)
        states[name] = state_of(Written(workspace))
    return states


def _rerun_idempotent(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    first = results("base")
    tally.look(first["counts"]["chunks_processed"] > 0, "the first run processed no chunk")
    for name, state in results("again").items():
        for path in sorted(set(first["outputs"]) | set(state["outputs"])):
            same = first["outputs"].get(path) == state["outputs"].get(path)
            tally.look(same, f"{name}: other bytes than after the first run", file=path)
        processed = state["counts"]["chunks_processed"]
        tally.look(processed == 0, f"{name}: {with_verb(processed, 'chunk', 'was/were', 'processed again')}")
        tally.look(state["run_hash"] == first["run_hash"], f"{name}: another run_hash")
    return tally.outcome("a run of a copy with other file times, and one in the same place")


# A18


def _receipts_recompute(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    claimed: set[str] = set()
    for stage in base.summary["stages"]:
        path = base.workspace / stage["receipt"]
        same = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == stage["sha256"]
        tally.look(same, "the receipt is not the one that the summary names", file=stage["receipt"])
    for receipt in base.receipts.values():
        for claim in receipt["inputs"]:
            _recompute(tally, base, claim)
        for claim in receipt["outputs"]:
            claimed.add(claim["path"])
            _recompute(tally, base, claim)
    for path in base.outputs():
        tally.look(path in claimed, "no receipt accounts for it", file=path)
    stages = [receipt["stage"] for receipt in base.receipts.values()]
    tally.look(stages == ["materialize", "score", "export"], f"receipts of {', '.join(stages) or 'nothing'}")
    return tally.outcome(f"{plural(len(stages), 'receipt')}, {plural(len(claimed), 'output')}")


def _recompute(tally: Tally, base: Written, claim: Row) -> None:
    path = claim["path"]
    try:
        data = base.source_bytes(path)
    except OSError as error:
        tally.wrong(f"claimed and not there: {error.strerror}", file=path)
        return
    is_source = Path(path).is_relative_to(paths.KNOWLEDGE_BASE) and path != str(paths.DISTILLATION_SKIPS)
    found = {
        "bytes": len(data),
        "rows": sum(1 for _ in source_lines(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows_digest": None if is_source else rows_digest(data),
    }
    for name, value in found.items():
        tally.look(claim[name] == value, f"{name}: claimed {claim[name]}, recomputed {value}", file=path)


# A19


def _run_elsewhere(scene: Scene, name: str) -> dict[str, Any]:
    """The run under all other surroundings at once; when that shows, it is asked what it depends on."""
    there = SURROUNDINGS[name]
    state, base = _run_in(scene, name, there), state_of(scene.base)
    return {"state": state, "blamed": [] if _same(state, base) else _blamed(scene, name, there, base)}


def _blamed(scene: Scene, name: str, there: Surroundings, base: Row) -> list[str]:
    if not _same(_run_in(scene, f"{name}-nothing", Surroundings()), base):
        return ["the moment or chance, for it differs in the same surroundings, too"]
    return [
        factor
        for factor, alone in _one_by_one(there).items()
        if not _same(_run_in(scene, f"{name}-{factor}", alone), base)
    ]


def _same(state: Row, base: Row) -> bool:
    return (state["run_hash"], state["outputs"]) == (base["run_hash"], base["outputs"])


def _run_in(scene: Scene, name: str, there: Surroundings) -> dict[str, Any]:
    workspace = scene.install(name, backwards=there.backwards)
    argv = scene.run_all(workspace, "--workers", there.workers, "--chunk-bytes", there.chunk_bytes)
    ended = interpreter(scene.root, name, argv, env=there.env, umask=there.umask, watched=there.backwards)
    must_end_with(ended, ExitCode.OK, f"the run `{name}`")
    return state_of(Written(workspace))


def _one_by_one(there: Surroundings) -> dict[str, Surroundings]:
    found = {name: Surroundings(env={name: value}) for name, value in there.env.items()}
    found["umask"] = Surroundings(umask=there.umask)
    found["workers"] = Surroundings(workers=there.workers)
    found["chunk-bytes"] = Surroundings(chunk_bytes=there.chunk_bytes)
    found["listing-order"] = Surroundings(backwards=there.backwards)
    return found


def _run_with_one_byte_changed(scene: Scene) -> dict[str, Any]:
    before, after = _ONE_BYTE
    data = scene.fixture.source(FLAT_FILE)
    workspace = scene.install("one-byte", {FLAT_FILE: data.replace(before, after, 1)})
    scene.fork_run("one-byte", workspace)
    return state_of(Written(workspace))


def _run_hash_stable(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    base = results("base")
    for name, there in SURROUNDINGS.items():
        found = results(name)
        blamed = ", ".join(found["blamed"]) or "none of them alone"
        where = ", ".join(f"{key}={value}" for key, value in there.env.items())
        where += f", umask {there.umask:o}, {there.workers} workers, chunks of {there.chunk_bytes}"
        same = found["state"]["run_hash"] == base["run_hash"]
        tally.look(same, f"another run_hash under {where}, listed backwards; it depends on: {blamed}")
        for path, digest in base["outputs"].items():
            same = found["state"]["outputs"].get(path) == digest
            tally.look(same, f"other bytes in the run {name}; they depend on: {blamed}", file=path)
    changed = results("one_byte")["run_hash"]
    tally.look(changed != base["run_hash"], "one changed byte of a source leaves run_hash as it is")
    return tally.outcome("2 runs in other surroundings, 1 with one byte changed")


INVARIANTS = {
    "A08": Invariant(("base", "again"), _rerun_idempotent),
    "A18": Invariant(("base",), _receipts_recompute),
    "A19": Invariant(("base", *SURROUNDINGS, "one_byte"), _run_hash_stable),
}
