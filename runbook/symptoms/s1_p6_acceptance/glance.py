"""What the last acceptance and the last audit say of the gate."""

from __future__ import annotations

from runbook.symptoms.gate_report import DIVERGENCE, gate_glance, is_not_alone

glance = gate_glance(is_not_alone, DIVERGENCE)
