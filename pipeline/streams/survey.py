"""What ``distill streams check`` reports: what a stream's rules make of its lines, and what they miss.

Reads every line once, writes nothing. The counts are those of a run over the stream alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import InputError
from pipeline.contracts.skips import SkipReason
from pipeline.settings.model import ScoringSettings, Settings, StreamSettings
from pipeline.settings.rules import Rule, StreamFields, StreamRules
from pipeline.settings.syntax import plain_steps
from pipeline.stages.lint import lint_evidence
from pipeline.storage.source_lines import (
    BYTE_ORDER_MARK,
    LineFault,
    SourceLine,
    read_line,
)
from pipeline.storage.whole_json import read_source
from pipeline.streams.compiled import CompiledStream, compile_stream
from pipeline.streams.declared import implied_session, rules_of
from pipeline.streams.files import SourceFile, ending_of, list_sources
from pipeline.streams.grouping import Grouping
from pipeline.streams.looks import looks_like
from pipeline.streams.lookup import LookupTable, load_lookups
from pipeline.streams.misfit import MisfitError
from pipeline.streams.path_tree import PathTree
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.read_records import read_groups
from pipeline.streams.records import Files, Record, lines_seen, map_record
from pipeline.streams.surveyed import FileSurvey
from pipeline.streams.surveyed import StreamSurvey as StreamSurvey
from pipeline.streams.unread import TurnMembers, compile_turn_members
from pipeline.streams.views import asks_for
from pipeline.streams.walk import fields_with_a_rule, paths_in, rules_in

SAMPLES = 3
UNREAD_PATHS = 10_000
SINGLE_TURNS_LOOKED_AT = 10_000


def survey(workspace: Path, settings: Settings, names: Iterable[str]) -> Iterator[StreamSurvey]:
    """One survey a stream of ``names``, as each is finished. Raises SettingsError or InputError."""
    lookups = load_lookups(workspace, settings)
    for name in names:
        yield _survey_stream(workspace, settings, settings.stream(name), lookups)


def _survey_stream(
    workspace: Path, settings: Settings, stream: StreamSettings, lookups: Mapping[str, LookupTable]
) -> StreamSurvey:
    found = StreamSurvey(stream.name, stream.role)
    rules = rules_of(stream)
    compiled = None if stream.role == "lookup" else compile_stream(stream, lookups)
    paths = _paths_read(stream, rules, settings)
    tree = PathTree(_with_items(paths, rules))
    surveyor = _Surveyor(found, paths, tree, compiled, settings.scoring)
    seen: set[bytes] = set()
    listing = list_sources(workspace, settings, stream)
    found.refused = listing.refused
    if compiled is not None and compiled.grouping is not None:
        _survey_groups(found, listing.files, stream, compiled, compiled.grouping, surveyor)
        listing.files = []
    for file in listing.files:
        found.files.append(file.relative)
        of_file = FileSurvey(file.relative)
        found.of_files.append(of_file)
        try:
            for line in _lines(file, stream, found):
                of_file.lines += 1
                of_file.is_items |= line.is_item
                value = _value(line, seen)
                if isinstance(value, LineFault):
                    surveyor.skipped(value)
                    if line.stands_for_the_missing:
                        of_file.ends_early = str(line.ending)
                    continue
                surveyor.read(value, file.relative, line.line)
                if compiled is None:
                    of_file.used += surveyor.looked_up(lookups[stream.name].check(value))
                else:
                    of_file.used += surveyor.mapped(
                        compiled.map_line(
                            value,
                            source_file=file.relative,
                            line=line.line,
                            byte_offset=line.byte_offset,
                            sig_hash=hashlib.sha256(line.raw).hexdigest(),
                        )
                    )
        except InputError as error:
            of_file.problem = error.fault.of_the_file()
        _look_at(of_file, file.path)
    surveyor.finish(fields_with_a_rule(rules))
    if rules.fields.task_id is not None:
        found.task_path = rules.fields.task_id.path or ""
    found.joined_by = implied_session(stream) or ""
    return found


def _survey_groups(
    found: StreamSurvey,
    files: list[SourceFile],
    stream: StreamSettings,
    compiled: CompiledStream,
    grouping: Grouping,
    surveyor: _Surveyor,
) -> None:
    found.files = [file.relative for file in files]
    found.of_files = [FileSurvey(file.relative) for file in files]

    def lines_of(number: int) -> Iterator[SourceLine]:
        of_file = found.of_files[number]
        try:
            for line in _lines(files[number], stream, found, whole=grouping.is_by_file):
                of_file.lines += 1
                of_file.is_items |= line.is_item
                if line.stands_for_the_missing:
                    of_file.ends_early = str(line.ending)
                yield line
        except InputError as error:
            of_file.problem = error.fault.of_the_file()

    groups = read_groups(files, grouping, lines_of)
    seen: set[str] = set()
    for record, raws in groups.records:
        rows = map_record(compiled, record, raws, groups.files)
        if not isinstance(rows, LineFault):
            signature = rows[0]["provenance"]["sig_hash"]
            if signature in seen:
                rows = LineFault(SkipReason.DUPLICATE_LINE, "the same lines as an earlier group has")
            seen.add(signature)
        if record.group is not None and record.fault is None:
            surveyor.read_group(record, raws, groups.files)
        if surveyor.mapped(rows, lines=len(record)):
            for member in record.members():
                found.of_files[member.file].used += 1
    for file, of_file in zip(files, found.of_files, strict=True):
        _look_at(of_file, file.path)


def _look_at(of_file: FileSurvey, path: Path) -> None:
    """Say what an archive is, and what a file looks like that gave nothing."""
    looks = looks_like(path)
    of_file.compression = looks.compression
    if of_file.is_items:
        of_file.shape = f"{looks.words.partition(':')[0]}, read by its items"
    if of_file.lines and not (of_file.used or of_file.ends_early):
        of_file.looks = looks.words


def _lines(
    file: SourceFile, stream: StreamSettings, found: StreamSurvey, *, whole: bool = False
) -> Iterator[SourceLine]:
    for line in read_source(file.path, ending_of(file.relative, stream), whole=whole):
        if line.line == 1 and line.byte_offset == len(BYTE_ORDER_MARK):
            found.files_with_mark.append(file.relative)
        found.lines += 1
        yield line


def _value(line: SourceLine, seen: set[bytes]) -> dict[str, Any] | LineFault:
    value = read_line(line)
    if isinstance(value, LineFault) and value.reason is SkipReason.TORN_TAIL:
        return LineFault(SkipReason.TORN_TAIL, "the last line has no line end yet")
    if isinstance(value, dict):
        digest = hashlib.sha256(line.raw).digest()
        if digest in seen:
            return LineFault(SkipReason.DUPLICATE_LINE, "the same bytes as an earlier line of the stream")
        seen.add(digest)
    return value


def _paths_read(stream: StreamSettings, rules: StreamRules, settings: Settings) -> list[str]:
    """Every path that is asked of the stream's lines, by its own rules or by look-ups into it."""
    paths = list(paths_in(rules))
    if stream.role == "lookup":
        paths.append(stream.key or "")
        for other in settings.streams:
            if other.role == "source":
                for rule in rules_in(rules_of(other)):
                    if rule.lookup == stream.name and rule.get is not None:
                        paths.extend(paths_in(rule.get))
    return list(dict.fromkeys(paths))


def _with_items(paths: list[str], rules: StreamRules) -> list[str]:
    """The paths with those of items of ``each`` written as paths of the line, where they are plain."""
    lists = _plain_lists(rules.parts.each) if rules.parts is not None and rules.parts.each is not None else ()
    of_items = [path for path in paths if path.startswith("_part.")]
    if not lists or not of_items or "_part" in paths:
        return paths
    items = [f"{each}[0].{path.removeprefix('_part.')}" for each in lists for path in of_items]
    return [*(path for path in paths if path not in lists), *items]


def _plain_lists(each: Rule) -> tuple[str, ...]:
    choices = each.first_of or (each,)
    found = [choice.path for choice in choices if choice.path is not None and plain_steps(choice.path)]
    return tuple(found) if len(found) == len(choices) else ()


class _Surveyor:
    """Counts into one ``StreamSurvey``."""

    def __init__(
        self,
        found: StreamSurvey,
        paths: list[str],
        tree: PathTree,
        compiled: CompiledStream | None,
        thresholds: ScoringSettings,
    ) -> None:
        self._thresholds = thresholds
        self._found = found
        self._paths = paths
        self._compiled = compiled
        self._members: dict[int, TurnMembers] = {}
        self._tree = tree
        # Items of ``each`` are seen by the rules only, so their paths cannot be asked of a line.
        self._pending = {path: compile_path(path) for path in paths if not asks_for_an_item(path)}
        self._with_value: set[str] = set()

    def read(self, value: dict[str, Any], source_file: str, line: int) -> None:
        self._note_unread(self._tree.unread(value))
        if self._compiled is not None:
            value = self._compiled.seen(value, source_file=source_file, line=line)
        self._note_unread(self._unread_of_turns(value))
        # A JMESPath function may refuse one line and still find something in the next.
        for path in [path for path, get in self._pending.items() if _finds(get, value)]:
            del self._pending[path]

    def read_group(self, record: Record, raws: list[bytes], files: Files) -> None:
        """Ask a group as the rules do, and each of its lines what nobody asks of it."""
        if self._compiled is None or self._compiled.grouping is None or record.group is None:
            return
        values = lines_seen(self._compiled, record, raws, files)
        if isinstance(values, LineFault):
            return
        try:
            view = self._compiled.grouping.present(values, record.group)
        except MisfitError:
            return
        for value in values:
            self._note_unread(self._tree.unread(value))
        for asked in (view, *values):
            for path in [path for path, get in self._pending.items() if _finds(get, asked)]:
                del self._pending[path]

    def _note_unread(self, paths: list[str]) -> None:
        """Count them; of names that are data themselves, as ids are, so many as memory has room for."""
        unmapped = self._found.unmapped
        if len(unmapped) > UNREAD_PATHS:
            paths = [path for path in paths if path in unmapped]
        unmapped.update(paths)

    def _unread_of_turns(self, value: dict[str, Any]) -> list[str]:
        if self._compiled is None:
            return []
        unread: dict[str, None] = {}
        for rule, view in self._compiled.conversations(value):
            members = self._members.get(id(rule))
            if members is None:
                members = compile_turn_members(rule, self._paths, self._compiled.lookups)
                self._members[id(rule)] = members
            for path, kept_as in _those_found(members, view):
                unread[path] = None
                if kept_as is not None:
                    self._found.kept_unasked[path] = kept_as
        self._found.of_turns.update(unread)
        return list(unread)

    def skipped(self, fault: LineFault, lines: int = 1) -> None:
        self._found.reasons[fault.reason] += lines
        self._found.details.setdefault(fault.reason, Counter())[fault.detail] += lines

    def looked_up(self, fault: LineFault | None) -> bool:
        if fault is not None:
            self.skipped(fault)
            return False
        self._found.looked_up += 1
        return True

    def mapped(self, rows: list[dict[str, Any]] | LineFault, lines: int = 1) -> bool:
        if isinstance(rows, LineFault):
            self.skipped(rows, lines)
            return False
        self._found.mapped += lines
        self._found.evidence += len(rows)
        for row in rows:
            self._found.lint.update(code.value for code in lint_evidence(row))
            self._found.flags.update(row["flags"])
            self._found.sight.add(row, self._thresholds)
            self._note_turns(row)
            self._with_value.update(name for name, value in row.items() if value not in (None, [], {}))
            # Of the harness's failure a flag is kept, and no value.
            self._with_value.update(name for name in row["flags"] if name == "environment_error")
            if len(self._found.samples) < SAMPLES:
                self._found.samples.append(row)
        return True

    def _note_turns(self, row: dict[str, Any]) -> None:
        found = self._found
        if len(row["messages"] or ()) == 1:
            found.single_turns += 1
            if found.single_turns <= SINGLE_TURNS_LOOKED_AT:
                found.turns_of_tasks.setdefault(row["task_id"], set()).add(row["messages"][0]["role"])

    def finish(self, fields: set[str]) -> None:
        if self._found.evidence:
            names = [name for name in StreamFields.model_fields if name in fields]
            self._found.fields_never_found = [name for name in names if name not in self._with_value]
        if self._found.lines:
            self._found.paths_never_found = list(self._pending)


def _those_found(members: TurnMembers, line: dict[str, Any]) -> list[tuple[str, str | None]]:
    try:
        return list(members(line))
    except MisfitError:
        return []


def asks_for_an_item(path: str) -> bool:
    return asks_for("_part", (path,)) or asks_for("_key", (path,))


def _finds(get: Getter, value: dict[str, Any]) -> bool:
    try:
        return get(value) is not None
    except MisfitError:
        return False
