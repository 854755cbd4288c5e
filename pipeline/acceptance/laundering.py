"""Rows that nobody may train on, dressed as rows that one may: what A14 plants in an SFT file."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.acceptance.written import Row, Written, unreadable
from pipeline.contracts import paths


class Planted(NamedTuple):
    """``wall`` is the one that must see it; others may as well."""

    how: str
    wall: str
    line: bytes


def planted_rows(base: Written) -> list[Planted]:
    """Made from the base run's own rows. Raises IntegrityError when it left none to make them from."""
    rows = base.rows(paths.SFT_EXPORT)
    flat = _first(rows, lambda row: row["shape"] == "flat" and row["task_id"] == "rules")
    chat = _first(rows, lambda row: row["shape"] == "conversation" and row["task_id"] == "node-2")
    rejected = _run(base, "attempts", "ligature", "rejected")
    rejected_chat = _run(base, "chats", "node-1", "rejected")
    reviewed = _run(base, "attempts", "rotate-keys", "needs_human_review")
    recorded = [turn for turn in rejected_chat["messages"] if "###STOP###" not in (turn["content"] or "")]
    turns = [_exported(turn) for turn in recorded]
    numbered: list[Planted] = []

    def plant(how: str, wall: str, row: Row, **changed: Any) -> None:
        made = {**row, "id": f"sft-{len(numbered):016x}", **changed}
        made.pop("_line", None)
        numbered.append(Planted(how, wall, json.dumps(made).encode()))

    def flat_row(instruction: str, response: str, context: str = "") -> Row:
        told = [{"role": "system", "content": context}] if context else []
        said = [{"role": "user", "content": instruction}, {"role": "assistant", "content": response}]
        messages = [_exported(turn) for turn in (*told, *said)]
        return {"instruction": instruction, "context": context, "response": response, "messages": messages}

    asked, answered = rejected["instruction"], rejected["response"]
    texts = flat_row(asked, answered)
    of_rejected = {
        "source_run_id": rejected["run_id"],
        "task_id": rejected["task_id"],
        "provenance": rejected["provenance"],
    }
    plant("a rejected run labelled accepted", "lineage", flat, **texts, **of_rejected)
    plant(
        "a run in review labelled accepted",
        "lineage",
        flat,
        **flat_row(reviewed["instruction"], reviewed["response"]),
        source_run_id=reviewed["run_id"],
        task_id=reviewed["task_id"],
    )
    plant("a rejected text under an accepted run's id", "content", flat, **texts)
    hidden = f"{answered[:1]}\u200b{answered[1:]}"
    for how, spelt in (
        ("other line ends", answered.replace("\n", " \r\n") + " \t\r\n"),
        ("characters that nobody sees", unicodedata.normalize("NFD", hidden)),
        ("a fence around it", f"```text\n{answered}\n```"),
    ):
        plant(f"a rejected text, {how}", "content", flat, **flat_row(asked, spelt))
    plant(
        "a rejected text under another system prompt of its task",
        "content",
        flat,
        **flat_row(asked, answered, "Today is the 4th of May."),
        task_id=rejected["task_id"],
    )
    plant(
        "a rejected text in the three texts alone", "content", flat, **{**texts, "messages": flat["messages"]}
    )
    plant(
        "a rejected text in the messages alone",
        "content",
        flat,
        messages=texts["messages"],
        task_id=rejected["task_id"],
    )
    plant(
        "a rejected conversation under an accepted run's id",
        "content",
        chat,
        messages=turns,
        response=turns[-1]["content"],
    )
    plant(
        "an edited answer of an accepted run", "fidelity", flat, **flat_row(flat["instruction"], "An edit.")
    )
    other_side = {"train": "validation", "validation": "train"}[flat["split"]]
    plant("a row on the other side of the split", "fidelity", flat, split=other_side)
    plant("a row under another task", "fidelity", flat, task_id=reviewed["task_id"])
    last = {**chat["messages"][-1], "weight": 0.0}
    plant("an answer that is not to be learnt", "fidelity", chat, messages=[*chat["messages"][:-1], last])
    plant("a row that is there already", "lineage", flat)
    plant("a text in a member of another name", "fidelity", flat, completion="An edit.")
    plant("an edited text beside its messages", "fidelity", flat, response="An edit.")
    plant(
        "an accepted conversation with an edited turn",
        "fidelity",
        chat,
        messages=[{**chat["messages"][0], "content": "An edit."}, *chat["messages"][1:]],
    )
    plant(
        "a role that nobody knows",
        "readable",
        chat,
        messages=[{**chat["messages"][0], "role": "model"}, *chat["messages"][1:]],
    )
    plant("a made-up source_run_id", "lineage", flat, source_run_id="attempts/0123456789abcdef")
    plant("an honest label that is forbidden", "label", flat, quality_score="rejected")
    plant("a label of no kind", "label", flat, quality_score=None)
    unlabelled = {name: value for name, value in flat.items() if name != "quality_score"}
    plant("a missing label", "label", unlabelled)
    whole = json.dumps({name: value for name, value in flat.items() if name != "_line"}).encode()
    numbered.append(Planted("a line that is not JSON", "readable", whole[: len(whole) // 2]))
    twice = whole.replace(b"{", b'{"quality_score": "rejected", ', 1)
    numbered.append(Planted("a repeated key", "readable", twice))
    return numbered


def _exported(turn: Row) -> Row:
    """A turn of evidence as an export holds it: nothing null, the calls as JSON text."""
    calls = turn.get("tool_calls")
    return {
        "role": turn["role"],
        "content": turn["content"] or "",
        "tool_calls": json.dumps(calls) if calls else "",
        "tool_call_id": turn.get("tool_call_id") or "",
        "name": turn.get("name") or "",
        "reasoning": "",
        "weight": 1.0,
    }


def _first(rows: list[Row], wanted: Callable[[Row], bool]) -> Row:
    for row in rows:
        if wanted(row):
            return row
    raise unreadable(paths.SFT_EXPORT, "the rows that laundering starts from are not there")


def _run(base: Written, stream: str, task: str, category: str) -> Row:
    for row in base.evidence:
        if (row["stream"], row["task_id"], base.category.get(row["run_id"])) == (stream, task, category):
            return row
    raise unreadable(paths.evidence_file(stream), f"no {category} run of the task {task}")
