"""What could not be read or run has its three lines: the errno's own way out where there is one."""

from __future__ import annotations

import errno
import os

import pytest

from console.control.look_fault import look_fault, runbook_fault
from pipeline.contracts.faults import Fault, InputError

OWN = Fault("bad_file", "x.jsonl says otherwise.", "Nothing.", "Look.")
OTHERWISE = "Read again with r; distill doctor looks at the installation."


@pytest.mark.parametrize(
    ("number", "begins"),
    [
        (errno.EMFILE, "Give this shell more file descriptors"),
        (errno.ENFILE, "The whole machine is out of file descriptors"),
        (errno.EACCES, "See who may read it"),
        (errno.ENOMEM, "The machine is out of memory"),
        (errno.EIO, OTHERWISE),
    ],
)
def test_an_error_of_the_system_is_told_with_its_file_and_its_own_way_out(number: int, begins: str) -> None:
    fault = look_fault(OSError(number, os.strerror(number), "evidence/a.jsonl"), "This list")
    assert fault.what_happened == f"This list cannot be read: {os.strerror(number)} (evidence/a.jsonl)."
    assert fault.do_next.startswith(begins)


def test_a_bug_is_named_by_its_kind() -> None:
    fault = look_fault(ValueError("odd"), "This list")
    assert (fault.what_happened, fault.do_next) == ("This list cannot be read: ValueError: odd.", OTHERWISE)
    assert look_fault(OSError("no number"), "It").what_happened == "It cannot be read: OSError: no number."


def test_a_fault_that_has_its_three_lines_keeps_them() -> None:
    assert look_fault(InputError(OWN), "This list") is OWN
    assert runbook_fault(InputError(OWN)) is OWN


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ModuleNotFoundError("no runbook"),
            "The runbook cannot be imported: ModuleNotFoundError: no runbook",
        ),
        (SyntaxError("odd"), "The runbook cannot be imported: SyntaxError: odd"),
        (KeyError("x"), "The runbook failed: KeyError: 'x'"),
    ],
)
def test_a_broken_runbook_is_told_from_one_that_fails(error: Exception, told: str) -> None:
    assert runbook_fault(error).what_happened == told
