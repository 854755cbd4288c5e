"""All mutants."""

from __future__ import annotations

from tests.mutants.of_engine import OF_ENGINE
from tests.mutants.of_firewall import OF_FIREWALL

MUTANTS = (*OF_ENGINE, *OF_FIREWALL)
