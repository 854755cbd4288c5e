"""Each fault from a fresh copy: which checks turn red, which stay green, the exit code.

``faults.json`` is the record; ``DISTILL_RECORD_FAULTS=1`` writes it anew, for a person to read
the difference.
"""

from __future__ import annotations

import contextlib
import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.audit.audited import REQUIRED, audit, check_of, not_passed, passing_acceptance
from tests.pipeline.audit.engine_faults import ENGINE_FAULTS, EngineFault, audited, plant, with_own_engine
from tests.pipeline.audit.faults import FAULTS, Fault

ALL_FAULTS: tuple[Fault | EngineFault, ...] = (*FAULTS, *ENGINE_FAULTS)
RECORD = Path(__file__).with_name("faults.json")
RENEW = "meant? DISTILL_RECORD_FAULTS=1 pytest tests/pipeline/audit/test_faults.py, and read the difference"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(passing_acceptance(tmp_path_factory.mktemp("gate") / "acceptance.json"))


def observed(fault: Fault | EngineFault, report: dict[str, Any]) -> dict[str, Any]:
    moved = [row["metric"] for row in report["drift"] if row["status"] in ("warn", "missing")]
    return {
        "title": fault.title,
        "exit_code": report["exit_code"],
        "checks": not_passed(report),
        # Without a baseline there is nothing to drift from.
        "drift": sorted(moved),
    }


def test_a_healthy_workspace_is_all_green(workspace: Path, gate: str) -> None:
    report = audit(workspace, "--acceptance-report", gate)
    assert not_passed(report) == {}
    assert report["exit_code"] == 0
    assert report["ok"] is True


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_turns_its_check_red(fault: Fault, workspace: Path, gate: str) -> None:
    if fault.audit_first:
        assert audit(workspace, "--acceptance-report", gate)["exit_code"] == 0
    planted = fault.plant(workspace)
    with planted if isinstance(planted, AbstractContextManager) else contextlib.nullcontext():
        found = observed(fault, audit(workspace, "--acceptance-report", gate))
    if os.environ.get("DISTILL_RECORD_FAULTS"):
        record(fault.name, found)
    assert found == recorded().get(fault.name), RENEW
    if fault.aims_at == "drift":
        assert found["drift"]
    elif fault.aims_at:
        assert fault.aims_at in found["checks"]
    else:
        assert found["checks"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ENGINE_FAULTS, ids=lambda fault: fault.name)
def test_an_edited_engine_turns_its_check_red(fault: EngineFault, workspace: Path) -> None:
    with_own_engine(workspace)
    plant(fault, workspace)
    report = audited(fault, workspace)
    found = observed(fault, report)
    if os.environ.get("DISTILL_RECORD_FAULTS"):
        record(fault.name, found)
    assert found == recorded().get(fault.name), RENEW
    assert found["checks"][fault.aims_at] == "fail"
    assert f"failed: {', '.join(fault.invariants)}" in check_of(report, "P6.acceptance")["detail"]


@pytest.mark.slow
def test_the_same_engine_without_an_edit_is_all_green_but_for_the_rest_of_the_gate(workspace: Path) -> None:
    report = audited(None, with_own_engine(workspace))
    assert not_passed(report) == {"P6.acceptance": "not_evaluated"}
    assert report["engine"]["source"] == "workspace"


def recorded() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def record(name: str, found: dict[str, Any]) -> None:
    known = recorded() if RECORD.exists() else {}
    known[name] = found
    order = {fault.name: number for number, fault in enumerate(ALL_FAULTS)}
    ordered = dict(sorted(known.items(), key=lambda item: order.get(item[0], len(order))))
    RECORD.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


def test_every_required_check_can_fail() -> None:
    failed = {
        name for fault in recorded().values() for name, status in fault["checks"].items() if status == "fail"
    }
    assert failed >= set(REQUIRED)


def test_no_fault_goes_unseen_and_the_record_has_no_other() -> None:
    assert list(recorded()) == [fault.name for fault in ALL_FAULTS], RENEW
    for fault in ALL_FAULTS:
        found = recorded()[fault.name]
        seen = bool(found["checks"] or found["drift"])
        assert seen is bool(fault.aims_at), fault.name
