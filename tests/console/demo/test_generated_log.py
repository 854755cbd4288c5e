"""The generated log is the same on every machine, so that what is measured on it can be compared."""

from __future__ import annotations

import hashlib

import orjson

from console.demo.generated_log import LogGenerator


def test_a_seed_names_one_log() -> None:
    """Half of its lines are spoilt here, so that each way of spoiling one is among them."""
    lines = list(LogGenerator(400, 11, 0.5))
    assert hashlib.sha256(b"\n".join(lines) + b"\n").hexdigest() == DIGEST
    assert list(LogGenerator(400, 12, 0.5)) != lines


def test_its_lines_are_as_many_as_asked_for_and_as_bad_as_it_counts() -> None:
    generator = LogGenerator(300, 11, 0.5)
    lines = list(generator)
    assert len(lines) == 300
    assert generator.bad == sum(not is_good(line) for line in lines)


def is_good(line: bytes) -> bool:
    try:
        return b'"task":"twice"' not in line and isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


DIGEST = "3a82d017576dd5b1767806f62b7df48f8a6731d15f538801f051542c1ae43671"
