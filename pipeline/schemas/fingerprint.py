"""A canonical description of a schema, field by field, and its fingerprint.

The description is read from the models' annotations and not from pydantic's compiled form or
its JSON Schema, so that another release of pydantic does not move it. It covers each field's
name, place, type, constraints and default, the names of its validators, and the strictness of
each model. The code inside a validator is beyond it: the golden rows watch that.
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

# What a model refuses as a whole is described under this name, beside its fields.
MODEL_KEY = "(model)"

_CONFIG_KEYS = ("allow_inf_nan", "extra", "frozen", "strict")
_CONSTRAINTS = ("ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of", "pattern", "strict")


def describe(model: type[BaseModel]) -> dict[str, str]:
    """Field path to description, in field order; nested models as ``provenance.line``."""
    return dict(_model(model, ""))


def fingerprint(fields: dict[str, str]) -> str:
    """Hex sha256 over a description, the order of its fields included."""
    return hashlib.sha256(orjson.dumps(list(fields.items()))).hexdigest()


def _model(model: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    config = " ".join(f"{key}={model.model_config.get(key)}" for key in _CONFIG_KEYS)
    checks = sorted(f"{name}:model" for name in model.__pydantic_decorators__.model_validators)
    yield f"{path}{MODEL_KEY}", " ".join((config, *checks))
    for name, info in model.model_fields.items():
        need = "required" if info.is_required() else f"default={info.get_default()!r}"
        checks = sorted(
            f"{validator}:field"
            for validator, decorator in model.__pydantic_decorators__.field_validators.items()
            if name in decorator.info.fields
        )
        described = type_text(info.annotation, info.metadata)
        yield f"{path}{name}", " ".join((described, need, *checks))
        for nested, suffix in models_in(info.annotation):
            yield from _model(nested, f"{path}{name}{suffix}.")


def type_text(annotation: Any, metadata: list[Any]) -> str:
    """One type with its constraints, such as ``list[str min_length=1]`` or ``null|int ge=0``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(arguments[0], [*arguments[1:], *metadata])
    if origin is Literal:
        base = f"one of {', '.join(sorted(repr(value) for value in arguments))}"
    elif origin in (Union, types.UnionType):
        base = "|".join(sorted(type_text(argument, []) for argument in arguments))
    elif origin is not None:
        base = f"{origin.__name__}[{', '.join(type_text(argument, []) for argument in arguments)}]"
    elif annotation is type(None):
        base = "null"
    else:
        base = getattr(annotation, "__name__", str(annotation))
    return " ".join((base, *sorted(set(_constraints(metadata)))))


def _constraints(metadata: list[Any]) -> Iterator[str]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _constraints(item.metadata)
            continue
        for key in _CONSTRAINTS:
            value = getattr(item, key, None)
            if value is not None:
                yield f"{key}={value}"
        function = getattr(item, "func", None)
        if function is not None:
            yield f"checked={function.__name__}"


def models_in(annotation: Any, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The models inside an annotation; ``[]`` marks one that stands in a list or a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
        return
    inside = "[]" if get_origin(annotation) in (list, dict) else ""
    for argument in get_args(annotation):
        yield from models_in(argument, suffix + inside)
