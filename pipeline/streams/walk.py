"""Every rule and path inside a stream's rules, for those who ask what a stream reads."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from pipeline.settings.rules import Condition, Parts, Rule, StreamRules
from pipeline.settings.syntax import split_template


def rules_in(model: BaseModel) -> Iterator[Rule]:
    return (inner for inner in _models_in(model, into_values=True) if isinstance(inner, Rule))


def paths_in(model: BaseModel) -> Iterator[str]:
    """The paths that are asked of the source line itself, not of a look-up's line, a value or a turn."""
    for inner in _models_in(model, into_values=False):
        match inner:
            case Rule():
                yield from (path for path in (inner.path, inner.turn) if path is not None)
                if inner.template is not None:
                    yield from (path for _, path in split_template(inner.template) if path is not None)
            case Condition():
                bounds = (inner.above, inner.at_least, inner.below, inner.at_most)
                yield from (path for path in (inner.expression, inner.path) if path is not None)
                yield from (bound for bound in bounds if isinstance(bound, str))
            case Parts(each=None, keys=keys) if keys is not None:
                yield from (f'"{key}"' for key in keys if '"' not in key and "\\" not in key)
            case _:
                pass


def _models_in(model: BaseModel, *, into_values: bool) -> Iterator[BaseModel]:
    """``model`` and all models inside it, in their declared order."""
    yield model
    values = vars(model)
    for name in type(model).model_fields:
        value = values[name]
        if not isinstance(value, BaseModel | tuple | dict):
            continue
        if isinstance(model, Rule) and name == "get" and not into_values:
            continue
        for inner in _directly_inside(value):
            yield from _models_in(inner, into_values=into_values)


def _directly_inside(value: object) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _directly_inside(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _directly_inside(item)


def fields_with_a_rule(rules: StreamRules) -> set[str]:
    """Evidence fields that the stream's rules, or those of one of its parts, ask for."""
    names = set(rules.fields.model_fields_set)
    for part in rules.parts.listed or () if rules.parts is not None else ():
        names |= part.fields.model_fields_set
    return names
