"""What must not, or should not, be in a training row: credentials, and personal data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.stages.personal import personal_in_bytes
from pipeline.stages.secrets import secret_in_bytes


class Sensitive(NamedTuple):
    """``secret`` is the kind of a credential; ``personal`` has one bit a kind (``personal.KINDS``)."""

    secret: str | None
    personal: int


def sensitive_in(data: bytes) -> Sensitive:
    """What the UTF-8 of a text holds."""
    return Sensitive(secret_in_bytes(data), personal_in_bytes(data))


def of_all(parts: Iterable[Sensitive]) -> Sensitive:
    """Of several texts: the first credential, and every kind of personal data."""
    secret, personal = None, 0
    for part in parts:
        secret = secret or part.secret
        personal |= part.personal
    return Sensitive(secret, personal)
