"""One source line to its evidence rows: a stream's rules, compiled once a process.

Rows are plain dicts in the key order of EvidenceRecord, complete but for ``recorded_at``. Every
value has gone through the coercer of its field, so no row needs a second look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.model import StreamSettings
from pipeline.settings.rules import MessagesRule, OverrideRule, Parts, Rule, StreamFields, StreamRules
from pipeline.streams import coerce
from pipeline.streams.conditions import Predicate, compile_all, compile_condition
from pipeline.streams.declared import rules_of, unusable
from pipeline.streams.flags import flags_of
from pipeline.streams.grouping import are_of_each_line, compile_grouping
from pipeline.streams.lookup import LookupTable
from pipeline.streams.messages import (
    ConversationGetter,
    compile_messages,
    first_user_text,
    last_assistant_text,
    system_text,
)
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.paths import Getter
from pipeline.streams.rules import Lookups, compile_rule
from pipeline.streams.times import timestamp
from pipeline.streams.views import compile_view
from pipeline.streams.walk import rules_in

SCHEMA_VERSION = 2
_LABEL_FIELDS = ("success_markers", "failure_markers", "tags")
Line = dict[str, Any]
Row = dict[str, Any]
# A part sees all that its line has, and every row of a line waits in memory.
MAX_PARTS = 100_000
MAX_SEEN_BY_PARTS = 10_000_000


class _PartPlan(NamedTuple):
    """How one part of a line becomes a row: getters and coercers in the order of the row's keys."""

    fields: tuple[tuple[str, Getter, Callable[[Any], Any]], ...]
    labels: tuple[tuple[str, tuple[Getter, ...]], ...]
    validation: tuple[tuple[str, Getter], ...]
    override: Callable[[Line], dict[str, Any] | None] | None
    messages: ConversationGetter | None
    messages_rule: MessagesRule | None
    environment_error: Getter | None
    derived: tuple[tuple[str, Callable[[list[dict[str, Any]]], str | None]], ...]
    """Fields that a conversation gives where no rule does."""


class CompiledStream:
    """Made by ``compile_stream``."""

    def __init__(self, stream: StreamSettings, rules: StreamRules, lookups: Lookups) -> None:
        self.name = stream.name
        self.lookup_names = lookup_names(rules)
        """The look-up streams that rows depend on, sorted."""
        self.lookups = lookups
        self.grouping = compile_grouping(rules, lookups)
        """Not None: rows are made of groups of lines, with ``map_group``."""
        self._where = compile_all(rules.where)
        self._split = _compile_parts(rules, lookups)
        self._seen = compile_view(rules)

    def map_line(
        self,
        value: Line,
        *,
        source_file: str,
        line: int,
        byte_offset: int,
        sig_hash: str,
        ranges: list[dict[str, Any]] | None = None,
    ) -> list[Row] | LineFault:
        """The rows of one line (never none), or why it has none. ``sig_hash``: hex sha256 of the line.

        ``ranges`` is where an item of a whole-JSON file begins and ends.
        """
        if self._seen is not None:
            value = self._seen(value, source_file, line)
        try:
            if self._where is not None and not self._where(value):
                return LineFault(SkipReason.FILTERED_OUT, "the stream's where does not hold")
        except MisfitError as misfit:
            return LineFault(misfit.reason, f"parts: {misfit.detail}")
        origin: Row = {
            "source_file": source_file,
            "line": line,
            "byte_offset": byte_offset,
            "sig_hash": sig_hash,
        }
        return self._rows(value, origin, None if ranges is None else {"ranges": ranges})

    def map_group(
        self, lines: list[Line], *, key: str, sig_hash: str, ranges: list[dict[str, Any]]
    ) -> list[Row] | LineFault:
        """The rows of the group ``key``; its ``lines`` come in the order of the log and lie in ``ranges``."""
        if self.grouping is None:
            raise ValueError(f"{self.name} has no groups")
        try:
            view = self.grouping.present(lines, key)
        except MisfitError as misfit:
            return LineFault(misfit.reason, misfit.detail)
        first = ranges[0]
        origin: Row = {
            "source_file": first["source_file"],
            "line": first["first_line"],
            "byte_offset": first["byte_offset"],
            "sig_hash": sig_hash,
        }
        return self._rows(view, origin, {"group": key, "ranges": ranges})

    def _rows(self, value: Line, origin: Row, more: Row | None) -> list[Row] | LineFault:
        """``more`` is what provenance says of a row that is not made of one line."""
        try:
            parts = self._split(value)
        except MisfitError as misfit:
            return LineFault(misfit.reason, f"parts: {misfit.detail}")
        rows = []
        for part, plan, view in parts:
            row = _row(plan, view)
            if isinstance(row, LineFault):
                return LineFault(row.reason, f"part {part}: {row.detail}") if part else row
            row["stream"] = self.name
            row["provenance"] = {**origin, "part": part}
            if more is not None:
                row["provenance"].update(more)
            row["run_id"] = run_id(self.name, row["provenance"])
            rows.append(row)
        return rows or LineFault(SkipReason.FILTERED_OUT, "no part's when holds")

    def seen(self, value: Line, *, source_file: str, line: int) -> Line:
        """The line as the rules see it: with what they ask of its file."""
        return value if self._seen is None else self._seen(value, source_file, line)

    def conversations(self, value: Line) -> Iterator[tuple[MessagesRule, Line]]:
        """The rule of each conversation that a line's parts have, and the line as it sees it."""
        try:
            parts = self._split(value)
        except MisfitError:
            return
        for _, plan, view in parts:
            if plan.messages_rule is not None:
                yield plan.messages_rule, view


def compile_stream(stream: StreamSettings, lookups: Mapping[str, LookupTable]) -> CompiledStream:
    """The mapper of a source stream. ``lookups`` holds at least the tables that its rules name.

    Raises SettingsError for a rule that cannot be used.
    """
    rules = rules_of(stream)
    for name in lookup_names(rules):
        if name not in lookups:
            raise unusable(stream, "lookup", f'"{name}" is not a stream of role "lookup".')
    if rules.fields.task_id is None and not _parts_name_tasks(rules.parts):
        raise unusable(stream, "fields.task_id", "is required: attempts of one task are told by it.")
    return CompiledStream(stream, rules, lookups)


def run_id(stream: str, provenance: Mapping[str, Any]) -> str:
    """The same line gives the same id on every machine, and so does the same group, however it grows."""
    group = provenance.get("group")
    origin = provenance["sig_hash"] if group is None else f"group\0{group}"
    identity = f"{stream}\0{origin}\0{provenance['part']}".encode()
    return f"{stream}/{hashlib.sha256(identity).hexdigest()[:16]}"


def lookup_names(rules: StreamRules) -> tuple[str, ...]:
    return tuple(sorted({rule.lookup for rule in rules_in(rules) if rule.lookup is not None}))


def _parts_name_tasks(parts: Parts | None) -> bool:
    return (
        parts is not None
        and parts.listed is not None
        and all(part.fields.task_id is not None for part in parts.listed)
    )


# --- parts ---------------------------------------------------------------------------------------

Split = Callable[[Line], "list[tuple[int, _PartPlan, Line]]"]
"""One line to (part number, its plan, the line as its rules see it)."""


def _compile_parts(rules: StreamRules, lookups: Lookups) -> Split:
    parts = rules.parts
    if parts is None:
        only = _compile_part(rules, rules.fields, lookups)
        return lambda line: [(0, only, line)]
    if parts.listed is None:
        each = (lambda line: line) if parts.each is None else compile_rule(parts.each, lookups)
        when = None if parts.when is None else compile_condition(parts.when)
        plan = _compile_part(rules, rules.fields, lookups)
        if parts.keys is not None:
            each = _members(each, parts.keys)
        return _split_each(each, when, plan, parts.optional, leave_out_null=parts.keys is not None)
    listed = [
        (
            None if part.when is None else compile_condition(part.when),
            _compile_part(rules, part.fields.over(rules.fields), lookups),
        )
        for part in parts.listed or ()
    ]
    return lambda line: [
        (number, plan, line) for number, (when, plan) in enumerate(listed) if when is None or when(line)
    ]


def _members(each: Getter, keys: tuple[str, ...]) -> Getter:
    """The members ``keys`` of the object that ``each`` finds, null where they are absent."""

    def members(line: Line) -> dict[str, Any] | None:
        found = each(line)
        if found is not None and type(found) is not dict:
            raise wrong_type("an object of parts", found)
        chosen = {key: None if found is None else found.get(key) for key in keys}
        return chosen if any(value is not None for value in chosen.values()) else None

    return members


def _split_each(
    each: Getter, when: Predicate | None, plan: _PartPlan, optional: bool, *, leave_out_null: bool
) -> Split:
    def split(line: Line) -> list[tuple[int, _PartPlan, Line]]:
        items: Iterator[tuple[str | int, Any]]
        found = each(line)
        if type(found) is list:
            items = enumerate(found)
        elif type(found) is dict:
            items = iter(found.items())
        elif found is None and optional:
            return [(0, plan, line)]
        elif found is None:
            raise MisfitError(SkipReason.NO_PARTS, "the list of parts is missing")
        else:
            raise wrong_type("a list or an object of parts", found)
        if not found:
            raise MisfitError(SkipReason.NO_PARTS, "the list of parts is empty")
        if len(found) > MAX_PARTS or len(found) * len(line) > MAX_SEEN_BY_PARTS:
            raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, f"{len(found):,} parts; at most {MAX_PARTS:,}")
        parts = []
        for number, (key, item) in enumerate(items):
            if item is None and leave_out_null:
                continue
            view = {**line, "_part": item, "_key": key}
            if when is None or when(view):
                parts.append((number, plan, view))
        return parts

    return split


# --- one part ------------------------------------------------------------------------------------


def _compile_part(rules: StreamRules, fields: StreamFields, lookups: Lookups) -> _PartPlan:
    def compiled(rule: Rule, fits: Callable[[Any], Any] | None = None) -> Getter:
        return compile_rule(rule, lookups, fits)

    single = [(name, getattr(fields, name)) for name in coerce.FIELD_COERCERS]
    labels = [(name, getattr(fields, name)) for name in _LABEL_FIELDS]
    derived = (
        ("instruction", first_user_text),
        ("context", system_text),
        ("response", last_assistant_text),
    )
    return _PartPlan(
        fields=tuple(
            (name, compiled(rule, coerce.FIELD_COERCERS[name]), coerce.FIELD_COERCERS[name])
            for name, rule in single
            if rule is not None
        ),
        labels=tuple(
            (name, tuple(compiled(rule, coerce.labels) for rule in rules)) for name, rules in labels if rules
        ),
        validation=tuple((name, compiled(rule, coerce.boolean)) for name, rule in fields.validation.items()),
        override=None if fields.human_override is None else _compile_override(fields.human_override, lookups),
        messages=None
        if fields.messages is None
        else compile_messages(
            fields.messages, lookups, of_each_line=are_of_each_line(rules, fields.messages)
        ),
        messages_rule=fields.messages,
        environment_error=None if fields.environment_error is None else compiled(fields.environment_error),
        derived=tuple((name, derive) for name, derive in derived if getattr(fields, name) is None),
    )


def _compile_override(rule: OverrideRule, lookups: Lookups) -> Callable[[Line], dict[str, Any] | None]:
    decision = compile_rule(rule.decision, lookups, coerce.category)
    details = tuple(
        (name, None if inner is None else compile_rule(inner, lookups, convert), convert)
        for name, inner, convert in (
            ("by", rule.by, coerce.person),
            ("reason", rule.reason, coerce.text),
            ("at", rule.at, timestamp),
        )
    )

    def get(line: Line) -> dict[str, Any] | None:
        decided = decision(line)
        if decided is None:
            return None
        override: dict[str, Any] = {"decision": coerce.category(decided)}
        for name, inner, convert in details:
            value = None if inner is None else inner(line)
            override[name] = None if value is None else convert(value)
        return override

    return get


def _row(plan: _PartPlan, line: Line) -> Row | LineFault:
    """The row of one part but for what names it; the keys in the order of EvidenceRecord."""
    row: Row = {
        "schema_version": SCHEMA_VERSION,
        "run_id": None,
        "task_id": None,
        "stream": None,
        "timestamp": None,
        "model_name": None,
        "model_provider": None,
        "instruction": None,
        "context": None,
        "response": None,
        "goal": None,
        "messages": None,
        "tools": None,
        "finish_reason": None,
        "success_markers": [],
        "failure_markers": [],
        "reward": None,
        "verdict": None,
        "human_override": None,
        "validation": {},
        "tokens": None,
        "cost_usd": None,
        "latency_ms": None,
        "tags": [],
        "flags": [],
        "provenance": None,
    }
    field, tools_are_told, conversation = "", False, None
    try:
        for field, get, convert in plan.fields:
            value = get(line)
            if value is not None:
                row[field] = convert(value)
                tools_are_told |= field == "tools"
        if row["task_id"] is None:
            return LineFault(SkipReason.MISSING_FIELD, "task_id: not found in the line")
        for field, getters in plan.labels:
            row[field] = _labels(getters, line)
        for name, get in plan.validation:
            field = f"validation.{name}"
            value = get(line)
            if value is not None:
                row["validation"][name] = coerce.boolean(value)
        if plan.override is not None:
            field = "human_override"
            row["human_override"] = plan.override(line)
        if plan.messages is not None:
            field = "messages"
            conversation = plan.messages(line)
            if conversation is not None:
                row["messages"] = conversation.messages
                for field, derive in plan.derived:
                    row[field] = derive(conversation.messages)
                row["finish_reason"] = row["finish_reason"] or conversation.finish_reason
        field = "environment_error"
        failure = None if plan.environment_error is None else plan.environment_error(line)
        row["flags"] = flags_of(row, conversation, bool(failure), tools_are_told)
    except MisfitError as misfit:
        return LineFault(misfit.reason, f"{field}: {misfit.detail}")
    return row


def _labels(getters: tuple[Getter, ...], line: Line) -> list[str]:
    """The labels that the rules give, each once, in the order of the rules."""
    found: dict[str, None] = {}
    for get in getters:
        value = get(line)
        if value is not None:
            found.update(dict.fromkeys(coerce.labels(value)))
    return list(found)
