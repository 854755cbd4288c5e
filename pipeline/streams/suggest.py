"""Draft the ``[[stream]]`` for a log that no stream reads, and try it before it is shown."""

from __future__ import annotations

import glob
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.settings.confine import is_inside, source_roots
from pipeline.settings.model import Settings, from_document
from pipeline.settings.presets import preset
from pipeline.streams.files import is_ours, list_sources
from pipeline.streams.looks import looks_like
from pipeline.streams.suggest_draft import Draft, offered
from pipeline.streams.suggest_ids import about_ids, task_id
from pipeline.streams.suggest_lookups import add_joins, joins_with, other_files, stream_name
from pipeline.streams.suggest_members import Member, members_of
from pipeline.streams.suggest_outcomes import lines_for, outcomes_in
from pipeline.streams.suggest_presets import Fit, best_preset, count_answered, count_filled
from pipeline.streams.suggest_sample import Sample, Tried, read_sample, try_sample
from pipeline.streams.suggest_shapes import draft_by_shape
from pipeline.streams.suggest_turns import conversation_in
from pipeline.streams.survey import survey
from pipeline.streams.surveyed import StreamSurvey


class NoSuchLogError(InputError):
    """There is no file to draft from, or it cannot be read."""

    exit_code = ExitCode.WARNINGS


@dataclass(frozen=True)
class Suggestion:
    """``text`` is the draft; ``found`` what ``streams check`` would say of it."""

    text: str
    stream: str
    preset: str | None
    found: StreamSurvey
    readers: tuple[str, ...] = ()
    """Streams of the workspace that read the log already."""

    @property
    def maps(self) -> bool:
        return self.found.mapped > 0


def suggest(workspace: Path, settings: Settings, named: str) -> Suggestion:
    """Read the log called ``named``, from here or from the workspace. Nothing is written.

    Raises NoSuchLogError where it cannot be read, SettingsError for settings that cannot be used.
    """
    path = _found(workspace, named)
    relative, is_outside = _relative(workspace, settings, path)
    if is_outside:
        path = path.resolve()
    try:
        sample = read_sample(path, relative)
    except (InputError, OSError) as error:
        why = error.fault.of_the_file() if isinstance(error, InputError) else str(error.strerror)
        raise _no_log(named, f"cannot be read: {why.rpartition('cannot be read: ')[2]}") from None
    taken = {stream.name for stream in settings.streams}
    name = stream_name(path.name, taken)
    tried_path = glob.escape(relative)
    draft = Draft(name, tried_path, closed=sample.ends_open and not sample.is_document)
    readers = _readers(workspace, settings, path)
    if readers:
        said = ", ".join(readers)
        draft.notes.append(
            f"read already, by the stream {said}: with this one beside it each run counts twice"
        )
    draft.notes += _about_file(sample, path)
    if is_outside:
        draft.notes.append(
            "the file is outside the workspace: copy it to data/_kb/, or name its folder in source_roots"
        )
    members = members_of(sample.values)
    fit = best_preset(sample)
    by_shape = Draft(name, tried_path, closed=draft.closed, notes=list(draft.notes))
    draft_by_shape(by_shape, members, sample.values, is_document=sample.is_document)
    if fit is None or _is_better(by_shape, _tried(by_shape, sample), fit):
        draft = by_shape
    else:
        _use_preset(draft, fit, members)
    add_joins(draft, joins_with(members, other_files(workspace, settings, path)), {*taken, name})
    text = draft.text()
    return Suggestion(text, name, draft.preset, _check(workspace, settings, text, name, path), readers)


def _found(workspace: Path, named: str) -> Path:
    try:
        path = next((each for each in (Path(named), workspace / named) if each.exists()), None)
    except (OSError, ValueError):
        path = None
    if path is None:
        raise _no_log(named, "is not there")
    if path.is_dir():
        raise _no_log(named, "is a folder; name one of its files")
    found = path.parent.resolve() / path.name
    try:
        str(found).encode()
    except UnicodeEncodeError:
        raise _no_log(named, "has a name that is not UTF-8, so no row could hold it; rename it") from None
    return found


def _no_log(named: str, why: str) -> NoSuchLogError:
    return NoSuchLogError.of(
        code="no_such_log",
        what_happened=f"{visible(named)} {why}.",
        kept_safe="Nothing was read or written.",
        do_next="Name a log, from here or from the workspace; unread ones: distill streams check",
        file=visible(named),
    )


def _relative(workspace: Path, settings: Settings, path: Path) -> tuple[str, bool]:
    """The path as a stream would name it, and whether no stream may yet."""
    home = workspace.resolve()
    roots = source_roots(home, settings)
    if path.is_relative_to(home) and is_inside(path, home, roots):
        relative = path.relative_to(home).as_posix()
        if is_ours(relative):
            raise _no_log(relative, "is written by the pipeline itself, so no stream reads it")
        return relative, False
    # A link that leads out is drafted by where it leads.
    return path.resolve().as_posix(), not is_inside(path, home, roots)


def _readers(workspace: Path, settings: Settings, path: Path) -> tuple[str, ...]:
    return tuple(
        stream.name
        for stream in settings.streams
        if any(
            file.path.resolve() == path.resolve() for file in list_sources(workspace, settings, stream).files
        )
    )


def _about_file(sample: Sample, path: Path) -> list[str]:
    notes = []
    looks = looks_like(path)
    if looks.compression:
        notes.append(f"the file is compressed ({looks.compression}), and is read as it is")
    if sample.is_document:
        notes.append("the file is one JSON value, and is read by its items")
    elif looks.words and not sample.values:
        notes.append(f"it looks like {looks.words}")
    alike = [each for each in path.parent.glob(f"*{glob.escape(path.suffix)}") if each.is_file()]
    if len(alike) > 1:
        pattern = f"{glob.escape(str(PurePosixPath(sample.relative).parent))}/*{path.suffix}"
        notes.append(f'its folder holds {len(alike):,} such files; if they are alike: path = "{pattern}"')
    if not sample.whole:
        notes.append(f"drafted from the first {plural(len(sample.lines), 'line')}")
    return notes


def _tried(draft: Draft, sample: Sample) -> Tried:
    stream = from_document(tomllib.loads(draft.text())).streams[0]
    return try_sample(stream, sample, {})


def _is_better(draft: Draft, tried: Tried, fit: Fit) -> bool:
    """Whether a draft reads lines that the preset cannot, and an answer in them; or as much, and the task."""
    answered = count_answered(tried)
    if tried.mapped > fit.mapped and answered > fit.answered:
        return True
    knows_task = isinstance(draft.fields.get("task_id"), str) and fit.has_hashed_tasks
    is_as_good = (tried.mapped, answered) >= (fit.mapped, fit.answered) and count_filled(tried) >= fit.filled
    return knows_task and is_as_good and not fit.has_outcome


def _use_preset(draft: Draft, fit: Fit, members: list[Member]) -> None:
    draft.preset = fit.name
    shipped = preset(fit.name)
    draft.about["preset"] = f"{shipped.title}: docs/presets/{fit.name}.md"
    member = task_id(members)
    if fit.has_hashed_tasks and member is not None and member.name not in ("id", "uuid", "uid", "key"):
        draft.asked.append(offered("task_id", member.path, about_ids(member)))
    turns = conversation_in(members)
    for name, rule in ({} if turns is None else turns.said).items():
        if all(row[name] is None for row in fit.tried.rows):
            draft.fields[name] = rule
    if fit.has_outcome:
        return
    candidates = outcomes_in(members)
    draft.asked += lines_for(candidates)
    draft.asked.append(f"# the preset's page says of it: {visible(shipped.outcome)}")


def _check(workspace: Path, settings: Settings, text: str, name: str, path: Path) -> StreamSurvey:
    """What ``streams check`` would say, with the draft alone; a file outside may be read for once."""
    drafted = from_document(tomllib.loads(text)).streams
    roots = (*settings.workspace.source_roots, str(path.parent))
    known = {str(root) for root in source_roots(workspace, settings)}
    if path.is_relative_to(workspace.resolve()) or str(path.parent) in known:
        roots = settings.workspace.source_roots
    alone = settings.model_copy(
        update={
            "streams": drafted,
            "evaluations": (),
            "workspace": settings.workspace.model_copy(update={"source_roots": roots}),
        }
    )
    return next(iter(survey(workspace, alone, [name])))
