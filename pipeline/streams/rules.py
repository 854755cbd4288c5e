"""One field rule to one function of a source line.

A compiled rule gives a value, or None for null and absent alike, and raises MisfitError where a
value cannot be what the rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.settings.rules import Rule
from pipeline.settings.syntax import split_template
from pipeline.streams.combined import hashed, zipped
from pipeline.streams.conditions import Predicate, compile_condition
from pipeline.streams.inner_json import unpacked
from pipeline.streams.lookup import LookupTable
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.steps import Step, compile_steps
from pipeline.streams.texts import scalar_text
from pipeline.streams.turns import turn_text

Lookups = Mapping[str, LookupTable]


Fits = Callable[[Any], Any]
"""What a field makes of its value; raises MisfitError for one that it cannot take."""


def compile_rule(rule: Rule, lookups: Lookups, fits: Fits | None = None) -> Getter:
    """``fits`` is asked by rules that are lenient: what the field cannot take is null, too."""
    steps = compile_steps(rule)
    is_final = not (steps or rule.json_ or rule.at is not None)
    get = _source(rule, lookups, fits if is_final else None)
    if rule.json_:
        get = _with_steps(get, [unpacked])
    if rule.get is not None and rule.lookup is None:
        get = _inside(get, compile_rule(rule.get, lookups, fits if is_final else None))
    if rule.at is not None:
        get = _item_at(get, compile_rule(rule.at, lookups))
    get = _with_steps(get, steps)
    if rule.lenient:
        get = _lenient(get if fits is None else _with_steps(get, [fits]))
    if rule.default is not None:
        get = _default(get, rule.default)
    if rule.when is not None:
        get = _guarded(get, compile_condition(rule.when))
    return get


def _source(rule: Rule, lookups: Lookups, fits: Fits | None) -> Getter:
    """``fits`` is that of the field where nothing comes after the source, for the rules inside of it."""
    if rule.path is not None:
        return compile_path(rule.path)
    if rule.const is not None:
        const = rule.const
        return lambda _line: const
    if rule.template is not None:
        return _template(rule.template)
    if rule.join is not None:
        pieces = [compile_rule(piece, lookups) for piece in rule.join]
        return _join(pieces, "\n" if rule.with_ is None else rule.with_, rule.skip_missing)
    if rule.first_of is not None:
        return _first_of([compile_rule(choice, lookups, fits) for choice in rule.first_of])
    if rule.case is not None:
        branches = [
            (compile_condition(branch.when), compile_rule(branch.then, lookups, fits)) for branch in rule.case
        ]
        return _case(branches, compile_rule(rule.else_, lookups, fits) if rule.else_ is not None else None)
    if rule.lookup is not None and rule.key is not None and rule.get is not None:
        get = compile_rule(rule.get, lookups, fits)
        return _lookup(lookups[rule.lookup], compile_rule(rule.key, lookups), get)
    if rule.zip is not None:
        members = {name: compile_rule(inner, lookups) for name, inner in rule.zip.items()}
        return zipped(members, rule.skip_missing)
    if rule.hash is not None:
        return hashed([compile_rule(piece, lookups) for piece in rule.hash], rule.skip_missing)
    assert rule.turn is not None  # noqa: S101 the model has seen to it
    conversation, role, which = compile_path(rule.turn), rule.role or "assistant", rule.which or "last"
    return lambda line: turn_text(conversation(line), role, which)


def _inside(get: Getter, inner: Getter) -> Getter:
    def get_inside(line: dict[str, Any]) -> Any:
        value = get(line)
        return None if value is None else inner(value)

    return get_inside


def _item_at(get: Getter, at: Getter) -> Getter:
    """The item of the list (object) that ``get`` finds, whose index (key) is found by ``at``."""

    def item(line: dict[str, Any]) -> Any:
        value, where = get(line), at(line)
        if value is None or where is None:
            return None
        if type(value) is dict:
            return value.get(scalar_text(where))
        if type(value) is not list:
            raise wrong_type("a list or an object to take an item of", value)
        if type(where) is float and where.is_integer():
            where = int(where)
        if type(where) is not int:
            raise wrong_type("an index to be a whole number", where)
        return value[where] if -len(value) <= where < len(value) else None

    return item


def _with_steps(get: Getter, steps: Sequence[Step]) -> Getter:
    if not steps:
        return get
    if len(steps) == 1:
        only = steps[0]

        def one_step(line: dict[str, Any]) -> Any:
            value = get(line)
            return None if value is None else only(value)

        return one_step

    def all_steps(line: dict[str, Any]) -> Any:
        value = get(line)
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return all_steps


def _lenient(get: Getter) -> Getter:
    def lenient(line: dict[str, Any]) -> Any:
        try:
            return get(line)
        except MisfitError:
            return None

    return lenient


def _default(get: Getter, default: str | bool | float) -> Getter:
    def with_default(line: dict[str, Any]) -> Any:
        value = get(line)
        return default if value is None else value

    return with_default


def _guarded(get: Getter, holds: Predicate) -> Getter:
    return lambda line: get(line) if holds(line) else None


def _template(template: str) -> Getter:
    pieces_of = split_template(template)
    literals = [literal for literal, _ in pieces_of]
    getters = [compile_path(path) for _, path in pieces_of if path is not None]

    def fill(line: dict[str, Any]) -> str | None:
        pieces = [literals[0]]
        for get, literal in zip(getters, literals[1:], strict=True):
            value = get(line)
            if value is None:
                return None
            pieces.append(scalar_text(value))
            pieces.append(literal)
        return "".join(pieces)

    return fill


def _join(pieces: Sequence[Getter], separator: str, skip_missing: bool) -> Getter:
    def join(line: dict[str, Any]) -> str | None:
        texts: list[str] = []
        found = False
        for piece in pieces:
            value = piece(line)
            if value is None:
                if skip_missing:
                    continue
                return None
            found = True
            if type(value) is list:
                texts.extend(map(scalar_text, value))
            else:
                texts.append(scalar_text(value))
        return separator.join(texts) if found else None

    return join


def _first_of(choices: Sequence[Getter]) -> Getter:
    def first(line: dict[str, Any]) -> Any:
        for choice in choices:
            value = choice(line)
            if value is not None:
                return value
        return None

    return first


def _case(branches: Sequence[tuple[Predicate, Getter]], otherwise: Getter | None) -> Getter:
    def case(line: dict[str, Any]) -> Any:
        for holds, get in branches:
            if holds(line):
                return get(line)
        return None if otherwise is None else otherwise(line)

    return case


def _lookup(table: LookupTable, key: Getter, get: Getter) -> Getter:
    rows = table.rows

    def look_up(line: dict[str, Any]) -> Any:
        value = key(line)
        if value is None:
            return None
        row = rows.get(scalar_text(value))
        if row is None:
            raise MisfitError(SkipReason.LOOKUP_MISSING, f"no line of {table.stream} has the id")
        return get(row)

    return look_up
