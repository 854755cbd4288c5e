"""How bad a symptom is. It stands alone, because each engine command names a symptom when its code breaks."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
