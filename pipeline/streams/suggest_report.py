"""What came of a draft when it was tried, in comments below it."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.contracts.plurals import plural, with_verb
from pipeline.contracts.untrusted import visible
from pipeline.streams import suggest_toml as toml
from pipeline.streams.surveyed import StreamSurvey

_REASONS_SHOWN = 5
_UNMAPPED_SHOWN = 24


def report(found: StreamSurvey) -> list[str]:
    """Rows, skips and how full the fields are, as ``distill streams check`` would say."""
    skipped = f"{found.skipped:,} skipped" if found.skipped else "none skipped"
    lines = [
        f"# Tried on all lines: {found.lines:,} = {found.mapped:,} mapped + {skipped}; "
        f"{plural(found.evidence, 'row')}."
    ]
    for reason, count in found.reasons.most_common(_REASONS_SHOWN):
        details = [
            f"{visible(words, 80)} ({lines:,})" for words, lines in found.details[reason].most_common(2)
        ]
        lines.append(toml.comment(f"skipped as {reason}, {count:,}: {', '.join(details)}"))
    for file in found.of_files:
        if file.is_wanting:
            lines.append(toml.comment(f"the file: {file.looks or file.problem or file.ends_early}"))
    sight = found.sight
    if sight.rows:
        attempts = ", ".join(f"{tasks:,} with {rows:,}" for rows, tasks in list(sight.attempts.items())[:6])
        lines.append(toml.comment(f"tasks: {sight.tasks:,}; by number of attempts: {attempts}"))
        if sight.has_one_task_only:
            lines.append("# task_id is the same in all rows, which ask different things: it is no task's")
        elif sight.asked_differently:
            lines.append(
                "# task_id: "
                + with_verb(sight.asked_differently, "task id", "stands/stand", "for different prompts")
            )
        whole = [name for name, rows in sight.fill.items() if rows == sight.rows]
        partly = [
            f"{name} ({rows:,} of {sight.rows:,})"
            for name, rows in sight.fill.items()
            if 0 < rows < sight.rows
        ]
        lines += _listed("every row has", whole) + _listed("some rows have", partly)
        categories = (f"{name} {rows:,}" for name, rows in sight.categories.most_common())
        lines += _listed("categories, as it stands", categories)
        lines += _listed("lint", (f"{code} ({rows:,})" for code, rows in found.lint.most_common()))
    # Members of turns first: of a conversation everything is meant to be kept.
    unread = sorted((path for path, _ in found.unmapped.most_common()), key=lambda p: p not in found.of_turns)
    unmapped = [visible(path, 60) for path in unread[:_UNMAPPED_SHOWN]]
    if len(found.unmapped) > _UNMAPPED_SHOWN:
        unmapped.append(f"and {len(found.unmapped) - _UNMAPPED_SHOWN} more")
    return lines + _listed("no rule reads", unmapped)


def _listed(what: str, items: Iterable[str]) -> list[str]:
    said = ", ".join(items)
    return [toml.comment(f"{what}: {said}", None)] if said else []
