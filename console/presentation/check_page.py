"""One check on a page: what it proves or found, where, and the command that runs it again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from console.presentation.check_list import full_name, look_of, runnable
from console.presentation.counts import count
from console.presentation.lines import WIDE_LABEL, fact_lines
from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from pipeline.contracts.status import Freshness, Origin
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, took_in_words

if TYPE_CHECKING:
    from pipeline.reading.check_report import Check, Example

_fact = partial(fact_lines, size=WIDE_LABEL)


def check_lines(check: Check, origin: Origin, workspace: str, now: float, width: int) -> list[Line]:
    """All of it, wrapped to ``width``; every text is data and made visible."""
    return [spans for _, spans in check_rows(check, origin, workspace, now, width)]


def check_rows(
    check: Check, origin: Origin, workspace: str, now: float, width: int
) -> list[tuple[int | None, Line]]:
    """The same lines, each first one of an example with the example's number, from 0."""
    rows: list[tuple[int | None, Line]] = [(None, spans) for spans in _head(check, origin, now, width)]
    for number, example in enumerate(check.examples):
        first, *rest = _example(example, width)
        rows += [(number, first), *((None, spans) for spans in rest)]
    command = runnable(check.reproduce, workspace)
    tail = [EMPTY, line(Span(" Run it again", "title"))]
    tail += [line(Span(f"  {part}", "accent")) for part in wrap_text(command, width - 4)]
    if not command:
        tail.append(line(Span("  the report names no command of distill", "dim")))
    return [*rows, *((None, spans) for spans in tail)]


def _head(check: Check, origin: Origin, now: float, width: int) -> list[Line]:
    look = look_of(check, origin.freshness)
    role = "badge" if look.role == "fail" else look.role
    kind = "required" if check.required else "informational"
    lines = [
        EMPTY,
        line(
            " ",
            Span(f" {look.mark} {look.word} ".replace("  ", " "), role),
            " ",
            Span(visible(full_name(check.id)), "strong"),
            Span(f"  {visible(check.phase)}, {kind}", "dim"),
        ),
        EMPTY,
    ]
    if check.detail:
        lines += [line(f" {part}") for part in wrap_text(visible(check.detail), width - 2)]
        lines.append(EMPTY)
    examined = f"{count(check.examined)} examined, {count(check.failed)} failed"
    lines += _fact("counted", examined, width)
    lines += _fact("threshold", check.threshold or "-", width)
    lines += _fact("observed", check.observed or "-", width)
    age = age_in_words(age_of(check.as_of, now))
    lines += _fact("age", f"{age}, took {took_in_words(check.elapsed_seconds)}", width)
    if check.pending:
        lines += _fact("next", "the running command will evaluate it again", width)
    elif origin.freshness is Freshness.STALE:
        lines += _fact("~ stale", origin.why or "older than a day", width)
    lines += [EMPTY, line(Span(f" Examples, {len(check.examples)} of {count(check.failed)}", "title"))]
    if not check.examples:
        lines.append(line(Span("  none were reported", "dim")))
    return lines


def _example(example: Example, width: int) -> list[Line]:
    place = visible(example.file)
    if example.line is not None:
        place += f":{example.line}"
    head = "  ".join(text for text in (place, visible(example.run_id)) if text)
    lines = [line(Span("  X ", "fail"), Span(head or "no place", "text"))]
    lines += [
        line(Span(f"    {part}", "dim")) for part in wrap_text(visible(example.text), width - 6) if part
    ]
    return lines
