"""How a rule says that a value does not fit; ``compiled`` adds the field and makes it a skip."""

from __future__ import annotations

from pipeline.contracts.skips import SkipReason


class MisfitError(Exception):
    """``detail`` says what was expected and quotes nothing of the line."""

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def wrong_type(expected: str, value: object) -> MisfitError:
    return MisfitError(SkipReason.WRONG_TYPE, f"expected {expected}, found {kind(value)}")


def kind(value: object) -> str:
    """What JSON calls the type of ``value``."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
