"""One entry of an incident's journal, laid out by its kind. Journals are data: nothing is obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from console.presentation.counts import count
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, line, wrap_text
from pipeline.contracts.untrusted import visible, visible_lines
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
from pipeline.reading.durations import age_in_words, took_in_words

if TYPE_CHECKING:
    from console.reading.incident_record import Entry

_LABEL = 10
_MOST_LINES = 200
_STANCES: dict[str, tuple[str, Role]] = {
    "for": ("for", "text"),
    "against": ("against", "warn"),
    "unknown": ("unknown", "dim"),
}


def entry_lines(entry: Entry, width: int) -> list[Line]:
    """What this one line of the journal says."""
    if not entry.is_entry:
        return [line(Span(" X this line is no entry of a journal; what it held cannot be told", "fail"))]
    by_kind: dict[str, Callable[[Entry, int], list[Line]]] = {
        "opened": _opened,
        "probe": _probe,
        "classified": _classified,
        "planned": _planned,
        "consent": _consent,
        "intent": _change,
        "outcome": _change,
        "verified": _verified,
        "state": _state,
        "owner": _owner,
        "note": _note,
    }
    lines = by_kind.get(entry.kind, _anything)(entry, width)
    if entry.argv:
        lines += fact("ran", " ".join(entry.argv), width, "accent")
    return lines


def _opened(entry: Entry, width: int) -> list[Line]:
    detection = object_of(entry.detail, "detection")
    lines = fact("what", text_of(entry.detail, "title") or "?", width)
    if not detection:
        return [*lines, *fact("symptom", "none; done directly", width)]
    return [*lines, *_detection(detection, entry, width)]


def _detection(detection: Json, entry: Entry, width: int) -> list[Line]:
    lines = fact("seen", text_of(detection, "observed") or "?", width, "strong")
    source, as_of = text_of(detection, "source") or "?", number_of(detection, "as_of")
    age = "age not known" if as_of is None or entry.at is None else age_in_words(entry.at - as_of)
    lines += fact("from", source if source == "live" else f"{source}, {age} old then", width)
    for each in objects_of(detection, "evidence"):
        lines += _evidence(each, width)
    if again := text_of(detection, "reproduce"):
        lines += fact("again", again, width, "accent")
    return lines


def _probe(entry: Entry, width: int) -> list[Line]:
    output = object_of(entry.detail, "output")
    lines = fact("probe", text_of(output, "title") or "?", width, "strong")
    took = took_in_words(number_of(output, "took_seconds"))
    exit_code = count_of(output, "exit_code")
    ended = f", exit {exit_code}" if exit_code is not None else ""
    lines += fact(
        "took", f"{took}{ended}{', cut off at its limit' if flag_of(output, 'timed_out') else ''}", width
    )
    if trouble := text_of(output, "trouble"):
        lines += fact("trouble", trouble, width, "warn")
    return [*lines, *_output(text_of(output, "text") or "", width)]


def _output(text: str, width: int) -> list[Line]:
    if not text.strip():
        return [line(Span(f" {'':{_LABEL}} it printed nothing", "dim"))]
    lines: list[Line] = [EMPTY]
    shown = visible_lines(text)
    for each in shown[:_MOST_LINES]:
        lines += [line(Span(f"   {part}", "text")) for part in wrap_text(each, width - 4)]
    if len(shown) > _MOST_LINES:
        lines.append(line(Span(f"   … {len(shown) - _MOST_LINES} lines more, kept in the incident", "dim")))
    return lines


def _classified(entry: Entry, width: int) -> list[Line]:
    diagnosis = object_of(entry.detail, "diagnosis")
    lines = _cause(object_of(diagnosis, "cause"), "cause", width)
    for each in objects_of(diagnosis, "considered"):
        lines += [EMPTY, *_cause(each, "set aside", width)]
    if see := text_of(diagnosis, "see"):
        lines += fact("go on", f"with the wizard of {see}", width)
    return lines


def _cause(cause: Json, name: str, width: int) -> list[Line]:
    sentence, confidence = text_of(cause, "sentence") or "?", text_of(cause, "confidence") or "?"
    lines = fact(name, f"{sentence} ({confidence})", width, "strong" if name == "cause" else "text")
    for place in texts_of(cause, "places"):
        lines += fact("where", place, width)
    for each in objects_of(cause, "evidence"):
        lines += _evidence(each, width)
    return lines


def _evidence(evidence: Json, width: int) -> list[Line]:
    name, role = _STANCES.get(text_of(evidence, "stance") or "", ("?", "warn"))
    lines = fact(name, text_of(evidence, "says") or "?", width, role)
    if source := text_of(evidence, "source"):
        lines += fact("", source, width, "dim")
    for each in texts_of(evidence, "lines")[:20]:
        lines += fact("", f"  {each}", width, "dim")
    return lines


def _planned(entry: Entry, width: int) -> list[Line]:
    plan = object_of(entry.detail, "plan")
    lines = fact("plan", text_of(plan, "title") or "?", width, "strong")
    lines += fact(
        "hash", f"{entry.plan_hash[:12] or '?'}, code {text_of(entry.detail, 'code') or '?'}", width
    )
    for number, step in enumerate(objects_of(plan, "steps"), start=1):
        lines += fact(f"step {number}", text_of(step, "says") or text_of(step, "type") or "?", width)
        if path := text_of(step, "path"):
            before, after = object_of(step, "before"), object_of(step, "after")
            to = text_of(step, "to")
            then = f"→ {to}, the same bytes" if to else f"→ {state_words(after)}"
            lines += fact("", f"{path}  {state_words(before)} {then}", width, "dim")
    lines += fact("undo", text_of(plan, "undo") or "?", width)
    verify = text_of(plan, "verify")
    lines += fact("verified", f"by the detector of {verify}" if verify else "by the files alone", width)
    for note in texts_of(plan, "notes"):
        lines += fact("note", note, width)
    return lines


def _consent(entry: Entry, width: int) -> list[Line]:
    lines = fact("who", entry.actor or "?", width, "strong")
    lines += fact("why", entry.reason or "no reason was written", width, "strong")
    return [*lines, *fact("agreed to", f"plan {entry.plan_hash[:12] or '?'}", width)]


def _change(entry: Entry, width: int) -> list[Line]:
    """An intent or an outcome: which step, and each file's digest before and after."""
    step = count_of(entry.detail, "step")
    number = "?" if step is None else f"{step + 1}"
    kind = (text_of(entry.detail, "type") or "").replace("_", " ")
    if entry.kind == "intent":
        lines = fact("intent", f"step {number}: {kind or 'a change'} is about to be done", width, "strong")
    else:
        word = "done" if flag_of(entry.detail, "done") else "NOT done"
        how = ", settled by looking at the files" if flag_of(entry.detail, "settled") else ""
        lines = fact("outcome", f"step {number}: {word}{how}", width, "strong")
    if (code := count_of(entry.detail, "exit_code")) is not None:
        lines += fact("exit", str(code), width)
    if said := text_of(entry.detail, "said"):
        lines += fact("said", said, width)
    if by_hand := text_of(entry.detail, "by_hand"):
        lines += fact("by hand", by_hand, width, "accent")
    return [*lines, *_files(entry, width)]


def _files(entry: Entry, width: int) -> list[Line]:
    before, after = object_of(entry.detail, "before"), object_of(entry.detail, "after")
    names = sorted({*before, *after, *entry.inputs, *entry.outputs})
    lines: list[Line] = []
    for name in names[:_MOST_LINES]:
        then = _file_words(before, entry.inputs, name)
        now = _file_words(after, entry.outputs, name)
        lines += fact("file", name, width)
        lines += fact("", f"{then} → {now}" if then != now else f"{then}, unchanged", width, "dim")
    if len(names) > _MOST_LINES:
        lines += fact("", f"and {len(names) - _MOST_LINES:,} files more", width, "dim")
    return lines


def _file_words(states: Json, digests: Json, name: str) -> str:
    if isinstance(states.get(name), Mapping):
        return state_words(states[name])
    if name in digests:
        digest = digests[name]
        return digest[:8] if isinstance(digest, str) else "absent"
    return "not recorded"


def state_words(state: Json) -> str:
    """``3f2a91c0 1,204 bytes``, or ``absent``."""
    digest = text_of(state, "sha256")
    if digest is None:
        return "absent"
    return f"{digest[:8]} {count(count_of(state, 'bytes'))} bytes"


def _verified(entry: Entry, width: int) -> list[Line]:
    good = entry.verdict in ("clear", "as planned", "contained")
    lines = fact("verdict", entry.verdict or "?", width, "ok" if good else "fail")
    detection = object_of(entry.detail, "detection")
    return [*lines, *(_detection(detection, entry, width) if detection else [])]


def _state(entry: Entry, width: int) -> list[Line]:
    rehearsal = object_of(entry.detail, "rehearsal")
    if rehearsal:
        good = flag_of(rehearsal, "ok") is True
        lines = fact("rehearsed", "plan and undo came out right in a copy" if good else "it FAILED in a copy",
                     width, "ok" if good else "fail")  # fmt: skip
        lines += fact("", text_of(rehearsal, "detail") or "", width)
        return [*lines, *fact("took", took_in_words(number_of(rehearsal, "took_seconds")), width)]
    lines = fact("state", entry.state.replace("_", " ") or "?", width, "strong")
    if entry.verdict:
        lines += fact("verdict", entry.verdict, width)
    if seen := object_of(entry.detail, "detection"):
        lines += _detection(seen, entry, width)
    if says := text_of(entry.detail, "says"):
        lines += fact("says", says, width)
    if undone := text_of(entry.detail, "undone"):
        lines += fact("undone", f"plan {undone[:12]}", width)
    if entry.reason:
        lines += fact("why", entry.reason, width)
    return lines


def _owner(entry: Entry, width: int) -> list[Line]:
    lines = fact("who", entry.actor or "?", width, "strong")
    return [*lines, *fact("before", text_of(entry.detail, "was") or "?", width)]


def _note(entry: Entry, width: int) -> list[Line]:
    if offer := text_of(entry.detail, "offer"):
        return fact("chosen", offer.replace("_", " "), width, "strong")
    answers = object_of(entry.detail, "answers")
    if answers:
        return [spans for name, value in answers.items() for spans in fact(name, str(value), width, "strong")]
    return fact("note", entry.reason, width) if entry.reason else _anything(entry, width)


def _anything(entry: Entry, width: int) -> list[Line]:
    """A kind that a later version writes: its members as they are."""
    lines: list[Line] = []
    for name, value in entry.detail.items():
        lines += fact(str(name), json.dumps(value, ensure_ascii=False)[:2000], width)
    return lines or [line(Span(" it says nothing more", "dim"))]


def fact(name: str, text: str, width: int, role: Role = "text") -> list[Line]:
    """A label and its text, wrapped beside it."""
    first, *rest = wrap_text(visible(text, 2000), max(10, width - _LABEL - 3))
    return [
        line(Span(f" {fit_text(visible(name), _LABEL)} ", "dim"), Span(first, role)),
        *(line(f"{'':{_LABEL + 2}}", Span(part, role)) for part in rest),
    ]


def short_words(entry: Entry) -> str:
    """The entry in a few words, for a line of its own."""
    if not entry.is_entry:
        return "no entry of a journal"
    words: Sequence[str | None] = (
        entry.verdict.replace("_", " "),
        text_of(entry.detail, "offer"),
        entry.reason,
    )
    said = ", ".join(word for word in words if word)
    return visible(f"{entry.kind}{': ' if said else ''}{said}", 200)
