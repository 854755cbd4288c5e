"""Calls held against the definitions of the tools that the model was offered.

Definitions come from logs: they are checked offline, their patterns run in linear time, and one
that is no JSON Schema checks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from pipeline.contracts.lint import LintCode

_SCHEMAS = ("parameters", "input_schema", "inputSchema")
Validators = dict[str, jsonschema_rs.Validator | None]


@lru_cache(maxsize=256)
def validators_of(tools: str) -> Validators:
    """Name of a tool → what checks its arguments, None where nothing can. Logs repeat their tools."""
    try:
        definitions = json.loads(tools)
    except (ValueError, RecursionError):
        return {}
    return dict(_defined(definitions))


def _defined(definitions: Any) -> Iterator[tuple[str, jsonschema_rs.Validator | None]]:
    if isinstance(definitions, dict):
        named = definitions.items()
        definitions = [{"name": name, **tool} for name, tool in named if isinstance(tool, dict)]
    for tool in definitions if isinstance(definitions, list) else ():
        if isinstance(tool, str):
            yield tool, None
        if not isinstance(tool, dict):
            continue
        function = tool["function"] if isinstance(tool.get("function"), dict) else tool
        if isinstance(function.get("name"), str):
            yield (
                function["name"],
                _validator(next((function[key] for key in _SCHEMAS if key in function), None)),
            )


def _validator(schema: Any) -> jsonschema_rs.Validator | None:
    if not isinstance(schema, dict):
        return None
    try:
        return jsonschema_rs.validator_for(
            schema, offline=True, validate_formats=False, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError:
        return None


def check_call(name: str, arguments: str, validators: Validators) -> Iterator[LintCode]:
    """What is wrong with one call; nothing where the log does not say which tools there were."""
    if validators and name not in validators:
        yield LintCode.UNKNOWN_TOOL
    try:
        value = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        yield LintCode.ARGUMENTS_NOT_JSON
        return
    validator = validators.get(name)
    if validator is None:
        return
    try:
        kinds = {error.kind.name for error in validator.iter_errors(value)}
    except ValueError:
        return
    if "required" in kinds:
        yield LintCode.ARGUMENTS_MISSING
    if kinds - {"required"}:
        yield LintCode.ARGUMENTS_MISTYPED
