"""``distill streams``: what the stream settings make of the source lines, and a draft for a new log."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import lost_fields
from pipeline.contracts.faults import ExitCode, SettingsError, worst
from pipeline.contracts.nearest import nearest_of
from pipeline.contracts.plurals import plural, with_verb
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.settings.model import Settings
    from pipeline.streams.sight import Sight
    from pipeline.streams.suggest import Suggestion
    from pipeline.streams.surveyed import FileSurvey, StreamSurvey

_TEXT_LIMIT = 120
_NAME_LIMIT = 60
_LISTED = 12
_FILES_LISTED = 20
_ITEMS_SHOWN = 2
_UNMAPPED_LISTED = 24
# Of a conversation in a sample: so many turns from its start, and so many to its end.
_FIRST_TURNS, _LAST_TURNS = 8, 4


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if (arguments.action == "suggest") != (arguments.file is not None):
        raise _misnamed(arguments.file)
    settings = context.settings().settings
    if arguments.action == "suggest":
        return print_suggestion(context, settings, arguments.file)
    from pipeline.streams.unread_files import unread_files

    names = chosen_streams(settings, arguments.stream)
    unread = unread_files(context.workspace, settings) if arguments.stream is None else []
    must_find = arguments.fail_on == "never-found"
    return print_survey(context, settings, names, unread, must_find=must_find)


def print_suggestion(context: CommandContext, settings: Settings, file: str) -> int:
    """The draft as TOML, to be appended as it is; what came of it on stderr. Exit 1 where it maps no line."""
    from pipeline.streams.suggest import suggest
    from pipeline.streams.suggest_report import report

    found = suggest(context.workspace, settings, file)
    if context.json:
        tried = _report(found.found)
        context.out_json(
            {
                "toml": found.text,
                "stream": found.stream,
                "preset": found.preset,
                "read_by": [visible(name) for name in found.readers],
                "tried": tried,
            }
        )
    else:
        context.out(found.text.removesuffix("\n"))
        for line in report(found.found):
            context.note(line)
        context.note(_what_next(found))
    return ExitCode.OK if found.maps else ExitCode.CHECK_FAILED


def _what_next(found: Suggestion) -> str:
    if found.readers:
        readers = ", ".join(visible(name) for name in found.readers)
        return (
            f"Nothing was written. This log is read already, by the stream {readers}: with a second one each "
            f"run counts twice. See what it reads: distill streams check --stream {visible(found.readers[0])}"
        )
    return (
        f"Nothing was written: append it to {paths.SETTINGS}, answer what is asked, then: "
        f"distill streams check --stream {found.stream}"
    )


def _misnamed(file: str | None) -> SettingsError:
    what = "suggest needs the log to draft from." if file is None else "check takes no file."
    return SettingsError.of(
        code="streams_file",
        what_happened=what,
        kept_safe="Nothing was read or written.",
        do_next="distill streams suggest FILE, or distill streams check --stream NAME",
    )


def print_survey(
    context: CommandContext,
    settings: Settings,
    names: Sequence[str],
    unread: Sequence[str] = (),
    *,
    must_find: bool = False,
) -> int:
    """Exit 1 where a stream has lines and none could be used, 4 where a file or a part of one is not used.

    With ``must_find`` also 1 where a field that has a rule is found in no row. ``unread`` are files that
    no stream reads.
    """
    from pipeline.engine.lost_fields import fields_before
    from pipeline.streams.survey import survey

    codes: list[int] = [ExitCode.OK]
    reports = []
    before = fields_before(context.workspace)
    for found in survey(context.workspace, settings, names):
        had = before.get(found.name, {})
        found.fields_lost = lost_fields(had, {}, found.fields_never_found)
        codes.append(_exit_code(found))
        if must_find and found.fields_never_found:
            codes.append(ExitCode.CHECK_FAILED)
        if context.json:
            reports.append(_report(found))
        else:
            _print(context, found)
    if context.json:
        context.out_json({"streams": reports, "unread_files": [visible(name) for name in unread]})
        return worst(codes)
    if unread:
        context.out("no stream reads")
        context.table(("file",), [[visible(name)] for name in unread[:_FILES_LISTED]])
        if len(unread) > _FILES_LISTED:
            context.out(f"and {len(unread) - _FILES_LISTED:,} more")
        context.note("Draft the stream for one of them: distill streams suggest FILE")
    if not names:
        context.note(f"{paths.SETTINGS} declares no stream; distill streams suggest FILE drafts one.")
    return worst(codes)


def chosen_streams(settings: Settings, wanted: str | None) -> list[str]:
    """The stream called ``wanted``, all of them for None. Raises SettingsError, naming the nearest."""
    names = [stream.name for stream in settings.streams]
    if wanted is None:
        return names
    if wanted in names:
        return [wanted]
    hint = nearest_of(wanted, names)
    raise SettingsError.of(
        code="unknown_stream",
        what_happened=visible(f'{paths.SETTINGS} has no stream "{wanted}". {hint}'),
        kept_safe="Nothing was read or written.",
        do_next="See them all: distill streams check",
        file=str(paths.SETTINGS),
    )


def _exit_code(found: StreamSurvey) -> int:
    if found.lines and not (found.mapped or found.looked_up):
        return ExitCode.CHECK_FAILED
    is_whole = found.files and not found.refused and not any(file.is_wanting for file in found.of_files)
    return ExitCode.OK if is_whole else ExitCode.WARNINGS


def _print(context: CommandContext, found: StreamSurvey) -> None:
    """What was found of the stream, why lines were skipped, and the samples: a table each."""
    context.out(f"{visible(found.name)}  ({found.role})")
    context.table(("what", "found"), _facts(found))
    if found.reasons:
        context.table(
            ("skipped because", ">lines", "details"),
            [
                [reason, f"{count:,}", _details(found, reason)]
                for reason, count in found.reasons.most_common()
            ],
        )
    for number, row in enumerate(found.samples, 1):
        context.table((f"sample {number}", "value"), list(_sample_rows(row)))
    # Last, where it is seen: most of it wants somebody's hand.
    files = _files(found)
    if files:
        context.table(("file", ">lines", ">used", "what it is"), files)
    context.out("")


def _facts(found: StreamSurvey) -> list[list[str]]:
    if not found.files:
        return [["files", "none: no file matches its path"]]
    facts = [["files", f"{len(found.files)}: {_listed([visible(name) for name in found.files])}"]]
    facts += [
        ["mark", f"{visible(name)} starts with a byte order mark; it is read past"]
        for name in found.files_with_mark
    ]
    used = f"{found.mapped:,} mapped + {found.looked_up:,} joined"
    facts.append(["lines", f"{found.lines:,} = {used} + {found.skipped:,} skipped"])
    if found.role == "source":
        facts.append(["evidence", plural(found.evidence, "row")])
    if found.joined_by:
        facts.append(["sessions", _sessions(found)])
    if found.sight.rows:
        facts += _sight(found.sight)
    if found.are_fragments:
        facts.append(["fragments", _fragments(found)])
    for what, counts in (("lint", found.lint), ("flags", found.flags)):
        if counts:
            facts.append([what, _listed([f"{code} ({rows:,})" for code, rows in counts.most_common()])])
    if found.fields_never_found:
        facts.append(["never found", _listed(found.fields_never_found)])
    if found.fields_lost:
        lost = [f"{name} ({plural(rows, 'row')} of the last run)" for name, rows in found.fields_lost.items()]
        facts.append(["lost", _listed(lost)])
    if found.paths_never_found:
        never = [visible(path, _NAME_LIMIT) for path in found.paths_never_found]
        facts.append(["no line has", _listed(never)])
    if found.unmapped:
        facts.append(["unmapped", _listed(_unmapped(found), _UNMAPPED_LISTED)])
    return facts


def _sessions(found: StreamSurvey) -> str:
    return (
        f'lines are joined by {visible(found.joined_by)}, which is the task; unit = "line" keeps them apart'
    )


def _sight(sight: Sight) -> list[list[str]]:
    """What the rows would come to: categories, tasks with their attempts, and how full the fields are."""
    attempts = [f"{tasks:,} with {rows:,}" for rows, tasks in sight.attempts.items()]
    tasks = f"{sight.tasks:,}; by number of attempts: {_listed(attempts, 6)}"
    facts = [
        ["categories", _listed([f"{name} {rows:,}" for name, rows in sight.categories.most_common()])],
        ["tasks", tasks],
    ]
    if sight.has_one_task_only:
        facts.append(["task id", "the same in all rows, which ask different things: it is no task's"])
    elif sight.asked_differently:
        facts.append(
            [
                "task id",
                with_verb(sight.asked_differently, "task id", "stands/stand", "for different prompts"),
            ]
        )
    partly = [f"{name} {_share(rows, sight.rows)}" for name, rows in sight.fill.items() if rows < sight.rows]
    whole = [name for name, rows in sight.fill.items() if rows == sight.rows]
    if whole:
        facts.append(["every row", _listed(whole, 20)])
    if partly:
        facts.append(["some rows", _listed(partly, 20)])
    return facts


def _share(part: int, whole: int) -> str:
    """In per cent; never 0 or 100, which would say none or all."""
    return f"{min(99.9, max(0.1, 100 * part / whole)):.3g} %"


def _fragments(found: StreamSurvey) -> str:
    """Each row one turn: what makes one row of a session."""
    by = visible(found.task_path) or "where its id is"
    count = len(found.turns_of_tasks)
    tasks = f"{count:,} task" + "s" * (count != 1)
    return f'each row is one turn, of {tasks} in all; lines are joined with group = {{ by = "{by}" }}'


def _files(found: StreamSurvey) -> list[list[str]]:
    """Files that somebody must look at, then those that are no plain lines; a plain log needs no row."""
    rows = [[name, "", "", why] for name, why in found.refused.items()]
    wanting = [file for file in found.of_files if file.is_wanting]
    others = [file for file in found.of_files if (file.compression or file.shape) and not file.is_wanting]
    for file in wanting + others:
        rows.append([visible(file.name), f"{file.lines:,}", f"{file.used:,}", _what_it_is(file)])
    more = len(rows) - _FILES_LISTED
    return rows if more <= 0 else [*rows[:_FILES_LISTED], [f"and {more:,} more", "", "", ""]]


def _what_it_is(file: FileSurvey) -> str:
    archive = f"{file.compression}, {file.ends_early}" if file.ends_early else file.compression
    return "; ".join(words for words in (archive, file.shape, visible(file.looks or file.problem)) if words)


def _details(found: StreamSurvey, reason: str) -> str:
    about = [f"{visible(detail)} ({lines:,})" for detail, lines in found.details[reason].most_common()]
    return _listed(about, 3)


def _unmapped(found: StreamSurvey) -> list[str]:
    """What no rule names, members of turns first: of a conversation everything is meant to be kept."""
    paths = sorted(
        (path for path, _ in found.unmapped.most_common()), key=lambda path: path not in found.of_turns
    )
    said = []
    for path in paths:
        kept = f", kept as {found.kept_unasked[path]}" if path in found.kept_unasked else ""
        said.append(f"{visible(path, _NAME_LIMIT)} ({found.unmapped[path]:,}{kept})")
    return said


def _listed(items: list[str], most: int = _LISTED) -> str:
    more = f", and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def _report(found: StreamSurvey) -> dict[str, Any]:
    return {
        "name": found.name,
        "role": found.role,
        "files": [visible(name) for name in found.files],
        "not_read": found.refused,
        "of_files": [{**asdict(file), "name": visible(file.name)} for file in found.of_files],
        "files_with_byte_order_mark": [visible(name) for name in found.files_with_mark],
        "lines": found.lines,
        "mapped": found.mapped,
        "looked_up": found.looked_up,
        "skipped": found.skipped,
        "evidence": found.evidence,
        "reasons": {
            reason: {"lines": count, "details": dict(found.details[reason].most_common(_LISTED))}
            for reason, count in found.reasons.most_common()
        },
        "fill": found.sight.fill,
        "categories": dict(found.sight.categories.most_common()),
        "tasks": found.sight.tasks,
        "attempts": {str(rows): tasks for rows, tasks in found.sight.attempts.items()},
        "tasks_asked_differently": found.sight.asked_differently,
        "task_id_is_constant": found.sight.has_one_task_only,
        "lint": dict(found.lint.most_common()),
        "flags": dict(found.flags.most_common()),
        "are_fragments": found.are_fragments,
        "fields_never_found": found.fields_never_found,
        "fields_lost": found.fields_lost,
        "paths_never_found": found.paths_never_found,
        "unmapped": {visible(path): count for path, count in found.unmapped.most_common()},
        "kept_unasked": {visible(path): kept for path, kept in found.kept_unasked.items()},
        "samples": [_sample(row) for row in found.samples],
    }


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    """What differs between rows: fields with a value, texts cut, hidden characters made visible."""
    same_in_all = ("schema_version", "stream")
    return {
        name: _turns(value) if name == "messages" else _cut(value)
        for name, value in row.items()
        if name not in same_in_all and value not in (None, [], {})
    }


def _sample_rows(row: dict[str, Any]) -> Iterator[list[str]]:
    """A sample as lines of a table: each turn of its conversation has one of its own."""
    for name, value in _sample(row).items():
        if name != "messages":
            yield [name, _one_line(value)]
            continue
        yield [name, plural(len(row[name]), "turn")]
        for turn in value:
            if not isinstance(turn, dict):
                yield ["", turn]
                continue
            said = turn.get("content") or ""
            others = {key: inner for key, inner in turn.items() if key not in ("role", "content")}
            yield [f"  {turn['role']}", "  ".join(filter(None, (said, _one_line(others))))]


def _turns(turns: list[dict[str, Any]]) -> list[Any]:
    left_out = len(turns) - _FIRST_TURNS - _LAST_TURNS
    if left_out <= 1:
        return [_cut(turn) for turn in turns]
    between = f"… {plural(left_out, 'more turn')}"
    return [*map(_cut, turns[:_FIRST_TURNS]), between, *map(_cut, turns[-_LAST_TURNS:])]


def _cut(value: Any) -> Any:
    match value:
        case str():
            return visible(value, _TEXT_LIMIT)
        case list():
            shown = [_cut(item) for item in value[:_ITEMS_SHOWN]]
            return shown if len(value) <= _ITEMS_SHOWN else [*shown, f"… {len(value) - _ITEMS_SHOWN} more"]
        case dict():
            return {visible(name): _cut(inner) for name, inner in value.items() if inner is not None}
        case _:
            return value


def _one_line(value: Any) -> str:
    match value:
        case list():
            return " | ".join(_one_line(item) for item in value)
        case dict():
            return ", ".join(f"{name}: {_one_line(inner)}" for name, inner in value.items())
        case _:
            return str(value)
