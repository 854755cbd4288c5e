"""Every symptom, worst first: a folder each, found by its being here.

The folder itself puts it into words, ``glance`` (where files tell something) says what they tell,
``diagnose`` looks, explains and repairs, ``drill`` plants it. The first two are light: the standard
library and the shared readers. What several symptoms share stands beside the folders.

A folder that cannot be imported costs itself alone: its symptom is not known, and never clear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.symptoms import SEVERITY_ORDER, Definition

if TYPE_CHECKING:
    from pipeline.reading.facts import Facts
    from runbook.drills.drill import Drill
    from runbook.symptom import Symptom

    SYMPTOMS: tuple[Symptom, ...]
    # Some symptoms have several.
    DRILLS: tuple[Drill, ...]

    # What files tell of a symptom; None when they do not tell.
    Glance = Callable[[Facts], Answer | None]


@cache
def definitions() -> tuple[Definition, ...]:
    """Worst first, and of one severity in the order in which a person should read them."""
    return tuple(definition for definition, _ in _registered())


@cache
def glances() -> dict[str, Glance]:
    """By symptom, of those that have one."""
    return {
        definition.id: glance
        for definition, folder in _registered()
        if (glance := _glance(folder)) is not None
    }


def modules(leaf: str) -> list[Any]:
    """``leaf`` (``diagnose``, ``drill``) of every symptom, in their order. Raises what an import raises."""
    return [import_module(f"{__name__}.{folder}.{leaf}") for _, folder in _registered()]


@cache
def _registered() -> tuple[tuple[Definition, str], ...]:
    found = [(_definition(each.name), each.name) for each in iter_modules(__path__) if each.ispkg]
    found.sort(key=lambda one: (SEVERITY_ORDER[one[0].severity], one[0].rank, one[0].id))
    return tuple(found)


def _definition(folder: str) -> Definition:
    try:
        definition: Definition = import_module(f"{__name__}.{folder}").DEFINITION
    except Exception as error:  # noqa: BLE001 - a broken folder costs its own symptom
        why = f"runbook/symptoms/{folder}/__init__.py: {type(error).__name__}: {error}"
        return Definition(folder, Severity.ERROR, "Its definition cannot be loaded", why, "", (), ())
    return definition


def _glance(folder: str) -> Glance | None:
    name = f"{__name__}.{folder}.glance"
    try:
        glance: Glance = import_module(name).glance
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        return _blind(error)
    except Exception as error:  # noqa: BLE001 - as above
        return _blind(error)
    return glance


def _blind(error: Exception) -> Glance:
    said = f"not examined: {type(error).__name__}: {error}"
    return lambda facts: Answer(Verdict.UNKNOWN, said, facts.now)


def __getattr__(name: str) -> object:
    """``SYMPTOMS``: all of them with what diagnoses them, half a second of imports; ``DRILLS``: theirs."""
    if name == "SYMPTOMS":
        found = [module.SYMPTOM for module in modules("diagnose")]
        return tuple(replace(each, glance=glances().get(each.id)) for each in found)
    if name == "DRILLS":
        from runbook.drills.drill import Drill

        planted = [each for module in modules("drill") for each in vars(module).values()]
        return tuple(each for each in planted if isinstance(each, Drill))
    raise AttributeError(name)
