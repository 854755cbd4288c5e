"""A15 to A17: pairs that are sound, playbooks of good runs only, nothing lost between the two."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.written import (
    EXPORTS,
    MAY_BE_TRAINED_ON,
    RANK,
    Row,
    Written,
    answers,
    asked,
    said_in,
)
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural

# A15


def _pairs_sound(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    pairs = base.rows(paths.PREFERENCE_EXPORT)
    contested = _contested_texts(base)
    for pair in pairs:
        faults = list(_faults_of_pair(base, pair, contested))
        tally.look(
            not faults,
            "; ".join(faults),
            file=str(paths.PREFERENCE_EXPORT),
            line=pair["_line"],
            run_id=pair["chosen_run_id"],
        )
    counted = Counter(pair["stream"] for pair in pairs)
    for stream, wanted in scene.fixture.expected["pairs"].items():
        tally.look(
            counted[stream] == wanted,
            f"{stream}: {plural(counted[stream], 'pair')}, the fixture gives {wanted}",
        )
    return tally.outcome(f"{plural(len(pairs), 'pair')}")


def _faults_of_pair(base: Written, pair: Row, contested: set[Any]) -> list[str]:
    chosen, rejected = (base.by_run.get(pair[f"{side}_run_id"]) for side in ("chosen", "rejected"))
    if chosen is None or rejected is None:
        return ["a run that there is no evidence of"]
    faults = []
    if chosen["run_id"] == rejected["run_id"]:
        faults.append("the same run on both sides")
    if (chosen["stream"], chosen["task_id"]) != (rejected["stream"], rejected["task_id"]):
        faults.append("runs of two tasks")
    ranks = [RANK.get(base.category.get(row["run_id"], ""), -1) for row in (chosen, rejected)]
    if min(ranks) < 0 or ranks[0] <= ranks[1]:
        faults.append("the chosen run does not rank higher")
    texts = [_answer(pair[side]) for side in ("chosen", "rejected")]
    if texts[0] == texts[1]:
        faults.append("equal texts")
    for side, row, text in (("chosen", chosen, texts[0]), ("rejected", rejected, texts[1])):
        shared = _answer(pair["prompt"])
        if answers(row)[len(shared) :][: len(text)] != text:
            faults.append(f"the {side} text is not what the {side} run answered")
        if _contest_key(row) in contested:
            faults.append(f"the {side} text has both verdicts")
    return faults


def _answer(side: Any) -> list[Any]:
    """One side of a pair, or its prompt, as ``answers`` gives a run's: its assistant turns."""
    return [said_in(turn) for turn in side if turn["role"] == "assistant"]


def _contest_key(row: Row) -> tuple[Any, ...]:
    return row["stream"], row["task_id"], asked(row), tuple(answers(row))


def _contested_texts(base: Written) -> set[tuple[Any, ...]]:
    """Answers that one run of a task was accepted with and another, asked the same, rejected."""
    verdicts: dict[tuple[Any, ...], set[bool]] = {}
    for row in base.evidence:
        category = base.category.get(row["run_id"])
        if category in RANK and (row["messages"] or row["response"]):
            verdicts.setdefault(_contest_key(row), set()).add(category == "rejected")
    return {key for key, seen in verdicts.items() if len(seen) == 2}


# A16


def _rag_clean(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    contested = _contested_texts(base)
    rows = base.rows(paths.RAG_EXPORT)
    for row in rows:
        run_id = row["source_run_id"]
        category = base.category.get(run_id, "not scored")
        place = {"file": str(paths.RAG_EXPORT), "line": row["_line"], "run_id": run_id}
        tally.look(category in MAY_BE_TRAINED_ON, f"a playbook of a run that is {category}", **place)
        if category in MAY_BE_TRAINED_ON:
            tally.look(
                row["source_category"] == category, f"{row['source_category']} instead of {category}", **place
            )
            evidence = base.by_run.get(run_id)
            is_contested = evidence is not None and _contest_key(evidence) in contested
            tally.look(not is_contested, "a playbook of a text that has both verdicts", **place)
    if not rows:
        tally.wrong("there are no playbooks", file=str(paths.RAG_EXPORT))
    return tally.outcome(f"{plural(len(rows), 'playbook')}")


# A17


def _quarantine_balances(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    scored = Counter(row["run_id"] for row in base.scored)
    for export, (file, quarantine) in EXPORTS.items():
        exported = Counter(_runs_of(export, base.rows(file)))
        refused = Counter(row["run_id"] for row in base.rows(quarantine))
        for run_id in sorted(set(scored) | set(exported) | set(refused)):
            tally.look(
                scored[run_id] == exported[run_id] + refused[run_id],
                f"{export}: scored {scored[run_id]} times, exported {exported[run_id]}, "
                f"quarantined {refused[run_id]}",
                file=str(quarantine),
                run_id=run_id,
            )
        for row in base.rows(quarantine):
            tally.look(bool(row["reason"]), "no reason", file=str(quarantine), line=row["_line"])
    return tally.outcome(f"{plural(len(base.scored), 'scored run')}, 3 exports")


def _runs_of(export: str, rows: list[Row]) -> list[str]:
    if export == "preference":
        # A run may stand in several pairs and is used once all the same.
        return sorted({row[f"{side}_run_id"] for row in rows for side in ("chosen", "rejected")})
    return [row["source_run_id"] for row in rows]


INVARIANTS = {
    "A15": Invariant(("base",), _pairs_sound),
    "A16": Invariant(("base",), _rag_clean),
    "A17": Invariant(("base",), _quarantine_balances),
}
