"""Faults an operator can use, and the exit codes that they lead to.

A fault is three lines: what happened, what was kept safe, what to do next. The class of
the error decides the exit code; the permanent ``code`` names the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Self

from pipeline.contracts.untrusted import visible

# What the first of its three lines begins with.
WHAT_HAPPENED = "what happened  "

# What a run that ends early has kept safe, whatever ended it.
CHUNKS_KEPT = "The last outputs are in place; finished chunks are kept."


class ExitCode(IntEnum):
    """The exit codes of every command. An API: codes are added, never renumbered."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    NOT_EVALUABLE = 3
    WARNINGS = 4
    NOT_EVALUATED = 5
    FIREWALL_BREACH = 10
    APPROVAL_NEEDED = 11
    VERIFICATION_FAILED = 12
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143


# Which code wins when several apply to one command, worst first.
PRECEDENCE = (
    ExitCode.FIREWALL_BREACH,
    ExitCode.CHECK_FAILED,
    ExitCode.NOT_EVALUABLE,
    ExitCode.NOT_EVALUATED,
    ExitCode.WARNINGS,
    ExitCode.OK,
)


def worst(codes: Iterable[int]) -> int:
    """The code that a command ends with when its parts ended with ``codes``.

    A code outside the precedence list (usage, lock, interruption, one from a newer engine)
    stopped the command by itself, so it wins. No codes at all is ``OK``.
    """
    seen = list(codes)
    for code in seen:
        if code not in PRECEDENCE:
            return code
    for candidate in PRECEDENCE:
        if candidate in seen:
            return candidate
    return ExitCode.OK


@dataclass(frozen=True)
class Fault:
    """What an operator is told. ``code`` is permanent; the sentences may improve."""

    code: str
    what_happened: str
    kept_safe: str
    do_next: str
    file: str | None = None
    line: int | None = None
    value: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def of_the_file(self) -> str:
        """What happened, without the name of the file, which the caller has said, and without the dot."""
        return self.what_happened.removeprefix(f"{self.file} ").removesuffix(".")

    def as_lines(self) -> tuple[str, str, str]:
        """The three lines, without control characters (the texts may quote data)."""
        return (
            f"{WHAT_HAPPENED}{_one_line(self.what_happened)}",
            f"kept safe      {_one_line(self.kept_safe)}",
            f"do next        {_one_line(self.do_next)}",
        )


def _one_line(text: str) -> str:
    return visible(text)


class OperatorError(Exception):
    """Base of every error that a user can cause. Carries a ``Fault`` and an exit code."""

    exit_code: ExitCode = ExitCode.NOT_EVALUABLE

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what_happened)
        self.fault = fault

    @classmethod
    def of(
        cls,
        code: str,
        what_happened: str,
        kept_safe: str,
        do_next: str,
        *,
        file: str | None = None,
        line: int | None = None,
        value: str | None = None,
    ) -> Self:
        """The error that a ``Fault`` of these says."""
        return cls(Fault(code, what_happened, kept_safe, do_next, file, line, value))

    def shown_before(self) -> Sequence[str]:
        """Lines that a person reads before the three of the fault."""
        return ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Workers hand their errors on by pickle, which would call the class with the text alone."""
        return type(self), (self.fault,)


class SettingsError(OperatorError):
    """``distill.toml`` or a flag cannot be used. Nothing was written."""

    exit_code = ExitCode.USAGE


class InputError(OperatorError):
    """An input file is missing or cannot be read."""


class StorageError(OperatorError):
    """The disk refused: full, read-only, no permission."""


class IntegrityError(OperatorError):
    """Files contradict what a receipt or a schema says about them."""

    exit_code = ExitCode.CHECK_FAILED


class EngineUnavailableError(OperatorError):
    """The engine could not be started."""


def engine_not_started(program: str, error: OSError) -> EngineUnavailableError:
    what_happened = f"{program} could not be started: {error.strerror}."
    kept_safe = "Nothing was started; every file is as it was."
    return EngineUnavailableError.of("engine_not_started", what_happened, kept_safe, "distill doctor")


class WorkspaceLockedError(OperatorError):
    """Another run holds the workspace."""

    exit_code = ExitCode.LOCKED
