"""Which model is asked, and where its name came from: flag, environment, settings, default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.contracts.faults import SettingsError
from pipeline.replay.models import ExtractiveModel, Model, OpenAIChatModel
from pipeline.settings.model import ReplaySettings

MODEL_VARIABLE = "LH_REPLAY_LOCAL_MODEL"
EXTRACTIVE = "extractive"
_OPENAI = "openai:"

Origin = Literal["default", "settings", "environment", "flag"]


@dataclass(frozen=True)
class ModelChoice:
    """A model's configured name, who set it, and the model."""

    name: str
    origin: Origin
    model: Model


def local_model(
    settings: ReplaySettings, flag: str | None = None, environment: Mapping[str, str] | None = None
) -> ModelChoice:
    """The model that is asked first. Raises SettingsError for a name that means nothing."""
    environment = os.environ if environment is None else environment
    if flag is not None:
        return _choice(flag, "flag", settings)
    if named := environment.get(MODEL_VARIABLE):
        return _choice(named, "environment", settings)
    origin: Origin = "settings" if "model" in settings.model_fields_set else "default"
    return _choice(settings.model, origin, settings)


def escalation_model(settings: ReplaySettings) -> ModelChoice | None:
    """The model that is asked when the local answer fails; None when none is configured."""
    if settings.escalation_model is None:
        return None
    return _choice(settings.escalation_model, "settings", settings)


def _choice(name: str, origin: Origin, settings: ReplaySettings) -> ModelChoice:
    if name == EXTRACTIVE:
        return ModelChoice(name, origin, ExtractiveModel())
    if name.startswith(_OPENAI) and len(name) > len(_OPENAI):
        model = OpenAIChatModel(name.removeprefix(_OPENAI), settings.base_url, settings.timeout_seconds)
        return ModelChoice(name, origin, model)
    where = {"environment": MODEL_VARIABLE, "flag": "--model"}.get(origin, "[replay]")
    raise SettingsError.of(
        code="unknown_model",
        what_happened=f"{where} names the model {name!r}, which is neither extractive nor openai:NAME.",
        kept_safe="Nothing was asked and nothing was logged.",
        do_next=f"Set it to {EXTRACTIVE} (embedded) or openai:NAME with [replay] base_url.",
        value=name,
    )
