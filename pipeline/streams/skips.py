"""The reasons of skipped lines, under the name by which the mapper knows them."""

from __future__ import annotations

from pipeline.contracts.skips import LineFault as LineFault
from pipeline.contracts.skips import SkipReason as SkipReason
