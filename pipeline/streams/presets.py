"""The shipped rules, under the name by which the mapper knows them."""

from __future__ import annotations

from pipeline.settings.presets import PRESETS as PRESETS
