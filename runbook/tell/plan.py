"""PURE: a plan as it is read before consent, told from its data: steps, what stays, the way back."""

from __future__ import annotations

from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from pipeline.reading.durations import took_in_words
from pipeline.reading.sizes import size_words
from runbook.tell.blocks import GAP, Block, Fact, StepBlock

_RENAME, _MANUAL, _WRITE, _REMOVE, _RUN = "rename_file", "manual", "write_file", "remove_file", "run_command"
_PRUNE, _CUT = "prune_kept", "truncate_file"
_VERBS = {_RENAME: "rename", _REMOVE: "remove", "append_line": "append", _CUT: "cut"}


def file_words(state: Json) -> str:
    """``3f2a91c0 1,204 B``, or ``absent``."""
    digest = text_of(state, "sha256")
    return "absent" if digest is None else f"{digest[:8]} {size_words(count_of(state, 'bytes'))}"


def change_words(before: Json, after: Json) -> str:
    """A file's state before and after; its mode where that changes."""
    words = f"{file_words(before)} → {file_words(after)}"
    old, new = count_of(before, "mode"), count_of(after, "mode")
    if old is not None and new is not None and old != new:
        words += f", mode {old:o} → {new:o}"
    return words


def step_blocks(plan: Json) -> list[StepBlock]:
    return [_step(number, step) for number, step in enumerate(objects_of(plan, "steps"), start=1)]


def _step(number: int, step: Json) -> StepBlock:
    kind, path = text_of(step, "type") or "?", text_of(step, "path") or "?"
    says, by_hand = text_of(step, "says") or "", text_of(step, "by_hand") or ""
    before, after = object_of(step, "before"), object_of(step, "after")
    if kind == _MANUAL:
        return StepBlock(number, "by hand", says, says=says, by_hand=by_hand)
    if kind == _RUN:
        kept = f"{plural(len(before), 'file')} may change, each is kept before" if before else ""
        return StepBlock(number, "run", by_hand or "distill", kept, says=says, by_hand=by_hand)
    if kind == _PRUNE:
        return StepBlock(number, "delete", path, _originals(before), says=says, by_hand=by_hand)
    if kind == _RENAME:
        to = text_of(step, "to") or "?"
        return StepBlock(number, "rename", path, file_words(before), to, says, by_hand)
    verb = _VERBS.get(kind, kind.replace("_", " "))
    if kind == _WRITE:
        verb = "replace" if text_of(before, "sha256") else "restore"
    return StepBlock(number, verb, path, change_words(before, after), says=says, by_hand=by_hand)


def plan_blocks(plan: Json, rehearsal: Json | None = None, *, is_trial: bool = False) -> list[Block]:
    """What changes and what to know of it, what stays, the way back, who verifies.

    ``is_trial``: nobody can consent to it yet.
    """
    is_final = flag_of(plan, "reversible") is False
    way_back = Fact("undo", _way_back(plan), "fail" if is_final else "text")
    first: list[Block] = [*([way_back] if is_final else []), *_removals(plan)]
    notes = [Fact("note", note) for note in texts_of(plan, "notes")]
    blocks: list[Block] = [*first, *([GAP] if first else []), *step_blocks(plan), GAP, *notes]
    blocks += [Fact("stays", _stays(plan)), *([] if is_final else [way_back])]
    blocks += _rehearsal(plan, rehearsal, is_trial)
    if verify := text_of(plan, "verify"):
        blocks.append(Fact("verified", f"by the detector of {verify}, run again"))
    if text_of(plan, "ends") == "mitigated":
        blocks.append(Fact("it ends", "mitigated: the damage is contained, the cause stays"))
    if commit := text_of(plan, "commit"):
        blocks.append(Fact("restored", f"to {text_of(plan, 'tag') or '?'} = {commit[:12]}"))
    return blocks


def _removals(plan: Json) -> list[Block]:
    """What is not there any more afterwards, before anything else is read."""
    told = [words for step in objects_of(plan, "steps") if (words := _removal_words(step))]
    return [Fact("" if at else "removes", words, "warn") for at, words in enumerate(told)]


def _removal_words(step: Json) -> str:
    kind, path, before = text_of(step, "type"), text_of(step, "path") or "?", object_of(step, "before")
    if kind == _REMOVE:
        return f"{path} ({file_words(before)}); its bytes are kept with the incident"
    if kind == _CUT:
        return f"the end of {path} ({change_words(before, object_of(step, 'after'))}); kept with the incident"
    if kind == _PRUNE:
        return f"{path}: {_originals(before)}"
    return ""


def _originals(before: Json) -> str:
    size = sum(count_of(object_of(before, each), "bytes") or 0 for each in before)
    return f"{plural(len(before), 'original')}, {size_words(size)}"


def _kinds(plan: Json) -> set[str | None]:
    return {text_of(step, "type") for step in objects_of(plan, "steps")}


def _stays(plan: Json) -> str:
    if _kinds(plan) <= {_RENAME, _MANUAL}:
        return "every byte; nothing is rewritten, deleted or overwritten"
    if _PRUNE in _kinds(plan):
        return "every other file; each incident's journal, page and printed output"
    return "every other file, git, past reports; originals are kept with the incident"


def _way_back(plan: Json) -> str:
    if _kinds(plan) <= {_RENAME}:
        return "the reverse rename, as long as that name is free"
    undo = text_of(plan, "undo") or "?"
    return f"NOT REVERSIBLE: {undo}" if flag_of(plan, "reversible") is False else undo


def _rehearsal(plan: Json, rehearsal: Json | None, is_trial: bool) -> list[Block]:
    """A rename takes itself back, and a person's own step cannot be rehearsed."""
    if not rehearsal:
        is_needed = not _kinds(plan) <= {_RENAME, _PRUNE, _MANUAL}
        why = "it cannot be undone" if _PRUNE in _kinds(plan) else "a rename can be reversed"
        words = "not yet" if is_needed else f"not needed: {why}"
        return [] if is_trial and is_needed else [Fact("rehearsed", words)]
    said = f"{text_of(rehearsal, 'detail')} ({took_in_words(number_of(rehearsal, 'took_seconds'))})"
    left_out = text_of(rehearsal, "left_out")
    if left_out and flag_of(rehearsal, "ok"):
        return [
            Fact("rehearsed", said, lead="in part,", lead_tone="warn"),
            Fact("left out", left_out, "warn"),
        ]
    if flag_of(rehearsal, "ok"):
        return [Fact("rehearsed", said, lead="yes,", lead_tone="ok")]
    return [Fact("rehearsed", said, lead="FAILED", lead_tone="fail")]
