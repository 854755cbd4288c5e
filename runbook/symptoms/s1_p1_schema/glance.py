"""What the last audit says of schemas, their lock and their golden rows."""

from __future__ import annotations

from runbook.symptoms.by_report import by_checks
from runbook.symptoms.s1_p1_schema import DEFINITION

glance = by_checks(DEFINITION.checks)
