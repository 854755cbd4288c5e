"""PURE: one entry of an incident's journal, by its kind. Journals are data: nothing in them is obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    number_of,
    object_of,
    text_of,
)
from pipeline.platform.process_end import exit_in_words
from pipeline.reading.durations import took_in_words
from runbook.tell.blocks import GAP, Block, Fact, Paragraph, Printed
from runbook.tell.cause import detection_blocks, diagnosis_blocks
from runbook.tell.plan import file_words, plan_blocks

MOST_LINES = 200
_GOOD = ("clear", "as planned", "contained")


class JournalEntry(Protocol):
    """What a line of the record needs; read leniently or as the contract has it."""

    @property
    def kind(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def verdict(self) -> str | None: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def argv(self) -> Sequence[str]: ...

    @property
    def inputs(self) -> Mapping[str, Any]: ...

    @property
    def outputs(self) -> Mapping[str, Any]: ...

    @property
    def detail(self) -> Mapping[str, Any]: ...


class WholeEntry(JournalEntry, Protocol):
    """``at`` is seconds since the epoch."""

    @property
    def actor(self) -> str: ...

    @property
    def plan_hash(self) -> str: ...

    @property
    def at(self) -> float | None: ...


def entry_words(entry: JournalEntry) -> str:
    """What one line of the record says, in a few words."""
    detail = entry.detail
    if entry.kind == "note":
        answers = object_of(detail, "answers")
        if "pruned" in detail:
            return f"originals pruned: {entry.reason or ''}"
        return text_of(detail, "offer") or str(next(iter(answers.values()), "")) or entry.reason or ""
    if entry.kind in ("planned", "probe"):
        return text_of(object_of(detail, "plan" if entry.kind == "planned" else "output"), "title") or ""
    subject = ""
    if entry.kind in ("intent", "outcome"):
        files = list(entry.outputs or entry.inputs)
        more = f" +{len(files) - 1}" if len(files) > 1 else ""
        subject = " ".join(entry.argv) or (f"{files[0]}{more}" if files else "")
    verdict = entry.verdict or (entry.state if entry.kind == "state" else "")
    return " · ".join(filter(None, (verdict.replace("_", " "), subject, entry.reason or "")))


def entry_blocks(entry: WholeEntry) -> list[Block]:
    """All that it says."""
    by_kind: dict[str, Callable[[WholeEntry], list[Block]]] = {
        "opened": _opened,
        "probe": _probe,
        "classified": lambda each: diagnosis_blocks(object_of(each.detail, "diagnosis")),
        "planned": _planned,
        "consent": _consent,
        "intent": _change,
        "outcome": _change,
        "verified": _verified,
        "state": _state,
        "owner": _owner,
        "note": _note,
    }
    blocks = by_kind.get(entry.kind, _anything)(entry)
    return [*blocks, Fact("ran", " ".join(entry.argv), "accent")] if entry.argv else blocks


def _opened(entry: WholeEntry) -> list[Block]:
    detection = object_of(entry.detail, "detection")
    what: list[Block] = [Fact("what", text_of(entry.detail, "title") or "?")]
    if not detection:
        return [*what, Fact("symptom", "none; done directly")]
    return [*what, *detection_blocks(detection, entry.at)]


def _probe(entry: WholeEntry) -> list[Block]:
    output = object_of(entry.detail, "output")
    took = took_in_words(number_of(output, "took_seconds"))
    code = _exit_code(output)
    took += f", {exit_in_words(code)}" if code is not None else ""
    took += ", cut off at its limit" if flag_of(output, "timed_out") else ""
    blocks: list[Block] = [Fact("probe", text_of(output, "title") or "?", "strong"), Fact("took", took)]
    if trouble := text_of(output, "trouble"):
        blocks.append(Fact("trouble", trouble, "warn"))
    lines = (text_of(output, "text") or "").splitlines()
    if not any(each.strip() for each in lines):
        return [*blocks, Fact("", "it printed nothing", "dim")]
    return [*blocks, GAP, Printed(tuple(lines[:MOST_LINES]), max(0, len(lines) - MOST_LINES))]


def _exit_code(ended: Json) -> int | None:
    """A whole number; below 0 where a signal ended it."""
    code = number_of(ended, "exit_code")
    return int(code) if code is not None and code.is_integer() else None


def _planned(entry: WholeEntry) -> list[Block]:
    plan = object_of(entry.detail, "plan")
    return [
        Fact("plan", text_of(plan, "title") or "?", "strong"),
        Fact("hash", f"{entry.plan_hash[:12] or '?'}, code {text_of(entry.detail, 'code') or '?'}"),
        *plan_blocks(plan, is_trial=True),
    ]


def _consent(entry: WholeEntry) -> list[Block]:
    return [
        Fact("who", entry.actor or "?", "strong"),
        Fact("why", entry.reason or "no reason was written", "strong"),
        Fact("agreed to", f"plan {entry.plan_hash[:12] or '?'}"),
    ]


def _change(entry: WholeEntry) -> list[Block]:
    """An intent or an outcome: which step, and each file's digest before and after."""
    detail = entry.detail
    step = count_of(detail, "step")
    number = "?" if step is None else f"{step + 1}"
    kind = (text_of(detail, "type") or "").replace("_", " ")
    if entry.kind == "intent":
        words = f"step {number} begins: {kind or 'a change'}"
    else:
        settled = ", settled by looking at the files" if flag_of(detail, "settled") else ""
        words = f"step {number}: {'done' if flag_of(detail, 'done') else 'NOT done'}{settled}"
    blocks: list[Block] = [Fact(entry.kind, words, "strong")]
    if (code := _exit_code(detail)) is not None:
        blocks.append(Fact("exit", str(code) if code >= 0 else exit_in_words(code)))
    if said := text_of(detail, "said"):
        blocks.append(Fact("said", said))
    if by_hand := text_of(detail, "by_hand"):
        blocks.append(Fact("by hand", by_hand, "accent", literal=True))
    return [*blocks, *_files(entry)]


def _files(entry: WholeEntry) -> list[Block]:
    before, after = object_of(entry.detail, "before"), object_of(entry.detail, "after")
    names = sorted({*before, *after, *entry.inputs, *entry.outputs})
    blocks: list[Block] = []
    for name in names[:MOST_LINES]:
        then = _state_words(before, entry.inputs, name)
        now = _state_words(after, entry.outputs, name)
        words = f"{then} → {now}" if then != now else f"{then}, unchanged"
        blocks += [Fact("file", name, literal=True), Fact("", words, "dim")]
    if len(names) > MOST_LINES:
        blocks.append(Fact("", f"and {plural(len(names) - MOST_LINES, 'file')} more", "dim"))
    return blocks


def _state_words(states: Json, digests: Json, name: str) -> str:
    if isinstance(states.get(name), Mapping):
        return file_words(states[name])
    if name in digests:
        digest = digests[name]
        return digest[:8] if isinstance(digest, str) else "absent"
    return "not recorded"


def _verified(entry: WholeEntry) -> list[Block]:
    verdict = Fact("verdict", entry.verdict or "?", "ok" if entry.verdict in _GOOD else "fail")
    detection = object_of(entry.detail, "detection")
    return [verdict, *(detection_blocks(detection, entry.at) if detection else [])]


def _state(entry: WholeEntry) -> list[Block]:
    rehearsal = object_of(entry.detail, "rehearsal")
    if rehearsal:
        good = flag_of(rehearsal, "ok") is True
        words = "plan and undo came out right in a copy" if good else "it FAILED in a copy"
        return [
            Fact("rehearsed", words, "ok" if good else "fail"),
            Fact("", text_of(rehearsal, "detail") or ""),
            *([Fact("left out", left_out, "warn")] if (left_out := text_of(rehearsal, "left_out")) else []),
            Fact("took", took_in_words(number_of(rehearsal, "took_seconds"))),
        ]
    detection = object_of(entry.detail, "detection")
    found = (
        ("verdict", entry.verdict),
        ("says", text_of(entry.detail, "says")),
        ("undone", f"plan {undone[:12]}" if (undone := text_of(entry.detail, "undone")) else ""),
        ("why", entry.reason),
    )
    return [
        Fact("state", entry.state.replace("_", " ") or "?", "strong"),
        *(Fact(name, text) for name, text in found if text),
        *(detection_blocks(detection, entry.at) if detection else []),
    ]


def _owner(entry: WholeEntry) -> list[Block]:
    return [Fact("who", entry.actor or "?", "strong"), Fact("before", text_of(entry.detail, "was") or "?")]


def _note(entry: WholeEntry) -> list[Block]:
    if offer := text_of(entry.detail, "offer"):
        return [Fact("chosen", offer.replace("_", " "), "strong")]
    if answers := object_of(entry.detail, "answers"):
        return [Fact(name, str(value), "strong") for name, value in answers.items()]
    return [Fact("note", entry.reason)] if entry.reason else _anything(entry)


def _anything(entry: WholeEntry) -> list[Block]:
    """A kind that a later version writes: its members as they are."""
    members = [
        Fact(str(name), json.dumps(value, ensure_ascii=False)[:2000]) for name, value in entry.detail.items()
    ]
    return [*members] or [Paragraph("it says nothing more")]
